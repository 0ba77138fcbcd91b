"""Arrow's C++ Flight as a peer: client.py get|put LOCATION [gigabytes]; options.py has the rest.

Prints {"bytes", "rows", "seconds", "start", "end"}; the last two are seconds of the clock on the wall.
"""
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
from options import parse, pem, read_batches
from timing import give

ROWS = 65536
COLUMNS = 8


def doubles():
    rng = np.random.default_rng(1)
    schema = pa.schema([pa.field(f"c{i}", pa.float64()) for i in range(COLUMNS)])
    return schema, [
        pa.record_batch([pa.array(rng.standard_normal(ROWS)) for _ in range(COLUMNS)], schema=schema)
        for _ in range(32)
    ]


args = parse("mode", "location")
tls = {} if args.tls is None else {"tls_root_certs": pem(args.tls, "ca.crt")}
client = flight.connect(args.location, **tls)
list(client.do_action(flight.Action("ping", b"")))
schema, batches = (None, None) if args.mode == "get" else doubles() if args.batches is None else read_batches(args.batches)
if args.wait:
    print("ready", flush=True)
    sys.stdin.readline()
moved = rows = 0
began = time.time()
start = time.perf_counter()
if args.mode == "get":
    # What a batch takes is the same for all but the last; nbytes looks at every buffer of every column.
    first = None
    for chunk in client.do_get(flight.Ticket(b"bench")):
        first = first or (chunk.data.nbytes, chunk.data.num_rows)
        rows += chunk.data.num_rows
    moved = rows * first[0] // first[1]
else:
    options = flight.FlightCallOptions(write_options=pa.ipc.IpcWriteOptions(compression=args.compression))
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("bench"), schema, options)
    count = args.passes * len(batches) if args.batches else int(args.gigabytes * 1e9) // batches[0].nbytes
    for i in range(count):
        writer.write_batch(batches[i % len(batches)])
        rows += batches[i % len(batches)].num_rows
    writer.close()
    moved = rows * batches[0].nbytes // batches[0].num_rows
give({"bytes": moved, "rows": rows, "seconds": time.perf_counter() - start, "start": began, "end": time.time()})
