"""Reads a query over HTTP to its end: http_client.py arrow|json|parquet URL SQL. Prints `{"rows", "seconds"}`."""
import io
import json
import sys
import time
import urllib.request

import pyarrow as pa
import pyarrow.parquet

kind, url, sql = sys.argv[1:4]
formats = {"arrow": "ArrowStream", "json": "JSONEachRow", "parquet": "Parquet"}
start = time.perf_counter()
request = urllib.request.Request(f"{url}/?default_format={formats[kind]}", data=sql.encode(), method="POST")
rows = 0
with urllib.request.urlopen(request) as response:
    if kind == "arrow":
        for batch in pa.ipc.open_stream(response):
            rows += batch.num_rows
    elif kind == "parquet":
        rows = pyarrow.parquet.read_table(io.BytesIO(response.read()), use_threads=False).num_rows
    else:
        for line in response:
            json.loads(line)
            rows += 1
print(json.dumps({"rows": rows, "seconds": time.perf_counter() - start}))
