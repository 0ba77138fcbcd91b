"""Rows out of DuckDB in its own process: sql_engine.py PARQUET. Prints `{"rows", "bytes", "seconds"}`."""
import json
import sys
import time

import duckdb

database = duckdb.connect()
database.execute(f"create view lineitem as from read_parquet('{sys.argv[1]}')")
start = time.perf_counter()
rows = size = 0
for batch in database.execute("from lineitem").to_arrow_reader(65536):
    rows += batch.num_rows
    size += batch.nbytes
print(json.dumps({"rows": rows, "bytes": size, "seconds": time.perf_counter() - start}))
