"""What people write today: DuckDB behind gRPC, a protobuf message a row. grpc_server.py PARQUET. Prints `ready HOST:PORT`."""
import sys
from concurrent import futures

import duckdb
import grpc
from grpc_rows import messages, services

# Rows of a message: some 150 KB, well below gRPC's limit of 4 MiB and large enough that the calls do not count.
ROWS = 1000
NAMES = [field.name for field in messages.LineItem.DESCRIPTOR.fields]
TYPES = {"quantity": "varchar", "extendedprice": "varchar", "discount": "varchar", "tax": "varchar"}


def column(name):
    if name.endswith("date"):
        return f"(l_{name} - date '1970-01-01')::integer as {name}"
    return f"l_{name}::{TYPES[name]} as {name}" if name in TYPES else f"l_{name} as {name}"


class Tables(services.TablesServicer):
    def __init__(self, path):
        self.database = duckdb.connect()
        self.database.execute(f"create view lineitem as from read_parquet('{path}')")

    def Read(self, request, context):
        sql = f"select {', '.join(column(name) for name in NAMES)} from ({request.sql})"
        for batch in self.database.cursor().execute(sql).to_arrow_reader(ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            yield messages.Rows(rows=[messages.LineItem(**dict(zip(NAMES, row))) for row in zip(*columns)])


server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
services.add_TablesServicer_to_server(Tables(sys.argv[1]), server)
print(f"ready 127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", flush=True)
server.start()
server.wait_for_termination()
