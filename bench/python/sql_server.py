"""What people write today: DuckDB behind pyarrow.flight. sql_server.py PARQUET. Prints `ready LOCATION`."""
import sys

import duckdb
import pyarrow.flight as flight


class Server(flight.FlightServerBase):
    def __init__(self, path):
        super().__init__("grpc://127.0.0.1:0")
        self.database = duckdb.connect()
        self.database.execute(f"create view lineitem as from read_parquet('{path}')")

    def do_get(self, context, ticket):
        cursor = self.database.cursor()
        reader = cursor.execute(ticket.ticket.decode()).to_arrow_reader(65536)
        return flight.RecordBatchStream(reader)


server = Server(sys.argv[1])
print(f"ready grpc://127.0.0.1:{server.port}", flush=True)
server.serve()
