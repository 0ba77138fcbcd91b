"""Reads a query over HTTP to its end: http_client.py arrow|json|parquet URL SQL. Prints `{"rows", "seconds", "cpu"}`."""
import io
import sys
import urllib.request

import orjson
import pyarrow as pa
import pyarrow.parquet
from timing import finish, start

kind, url, sql = sys.argv[1:4]
start()
rows = 0
with urllib.request.urlopen(urllib.request.Request(url, data=sql.encode(), method="POST")) as response:
    if kind == "arrow":
        for batch in pa.ipc.open_stream(response):
            rows += batch.num_rows
    elif kind == "parquet":
        rows = pyarrow.parquet.read_table(io.BytesIO(response.read()), use_threads=False).num_rows
    else:
        rest = b""
        while block := response.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                orjson.loads(line)
            rows += len(lines)
finish(rows)
