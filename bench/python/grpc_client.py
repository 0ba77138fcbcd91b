"""Reads a query over gRPC to its end: grpc_client.py HOST:PORT SQL. Prints `{"rows", "seconds", "cpu"}`."""
import sys

import grpc
from grpc_rows import messages, services
from timing import finish, start

address, sql = sys.argv[1:3]
tables = services.TablesStub(grpc.insecure_channel(address))
start()
rows = 0
for message in tables.Read(messages.Query(sql=sql)):
    rows += len(message.rows)
finish(rows)
