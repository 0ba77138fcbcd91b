"""Reads a query to its end: sql_client.py LOCATION SQL. Prints `{"rows", "bytes", "seconds"}`."""
import json
import sys
import time

import pyarrow.flight as flight

location, sql = sys.argv[1:3]
client = flight.connect(location)
start = time.perf_counter()
rows = size = 0
for chunk in client.do_get(flight.Ticket(sql.encode())):
    rows += chunk.data.num_rows
    size += chunk.data.nbytes
print(json.dumps({"rows": rows, "bytes": size, "seconds": time.perf_counter() - start}))
