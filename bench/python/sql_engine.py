"""Rows out of DuckDB in its own process, the second time: sql_engine.py PARQUET. Prints `{"rows", "seconds", "cpu"}`."""
import sys

import duckdb
from timing import finish, start

database = duckdb.connect()
database.execute(f"create view lineitem as from read_parquet('{sys.argv[1]}')")


def read():
    return sum(batch.num_rows for batch in database.execute("from lineitem").to_arrow_reader(65536))


read()
start()
finish(read())
