"""Writes TPC-H lineitem as Parquet: lineitem.py FILE SCALE. At scale 1 it has 6,001,215 rows."""
import os
import sys
from pathlib import Path

import duckdb
import duckdb_extension_tpch

file, scale = sys.argv[1:3]
extension = next(Path(duckdb_extension_tpch.__file__).parent.glob("extensions/*/tpch.duckdb_extension"))
database = duckdb.connect()
database.execute(f"load '{extension}'")
database.execute(f"call dbgen(sf = {float(scale)})")
database.execute(f"copy lineitem to '{file}' (format parquet, compression zstd)")
database.close()
os._exit(0)
