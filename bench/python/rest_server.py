"""What people write today: DuckDB behind FastAPI. rest_server.py PARQUET. Prints `ready URL`.

POST SQL to /json (an object a line, made of Python's objects), /to_json (the same made by DuckDB), /parquet.
"""
import os
import socket
import sys
import tempfile

import duckdb
import orjson
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

database = duckdb.connect()
database.execute(f"create view lineitem as from read_parquet('{sys.argv[1]}')")
app = FastAPI()


async def query_of(request):
    return (await request.body()).decode()


@app.post("/json")
async def json(request: Request):
    sql = await query_of(request)

    def lines():
        for batch in database.cursor().execute(sql).to_arrow_reader(4096):
            yield b"".join(orjson.dumps(row, default=str, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist())

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.post("/to_json")
async def to_json(request: Request):
    sql = await query_of(request)

    def lines():
        for batch in database.cursor().execute(f"select to_json(t)::varchar from ({sql}) t").to_arrow_reader(4096):
            yield "\n".join(batch.column(0).to_pylist()) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.post("/parquet")
async def parquet(request: Request):
    sql = await query_of(request)
    handle, path = tempfile.mkstemp(suffix=".parquet")
    os.close(handle)
    database.cursor().execute(f"copy ({sql}) to '{path}' (format parquet, compression zstd)")
    return FileResponse(path, background=BackgroundTask(os.unlink, path))


listener = socket.create_server(("127.0.0.1", 0))
print(f"ready http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
