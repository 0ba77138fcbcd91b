"""Arrow's C++ Flight as a peer: client.py get|put LOCATION [gigabytes]. Prints {"bytes", "seconds"}."""
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
from timing import give

ROWS = 65536
COLUMNS = 8
mode, location = sys.argv[1], sys.argv[2]
gigabytes = float(sys.argv[3]) if len(sys.argv) > 3 else 2
client = flight.connect(location)
list(client.do_action(flight.Action("ping", b"")))
moved = 0
start = time.perf_counter()
if mode == "get":
    for chunk in client.do_get(flight.Ticket(b"bench")):
        moved += chunk.data.nbytes
else:
    rng = np.random.default_rng(1)
    schema = pa.schema([pa.field(f"c{i}", pa.float64()) for i in range(COLUMNS)])
    batches = [
        pa.record_batch([pa.array(rng.standard_normal(ROWS)) for _ in range(COLUMNS)], schema=schema)
        for _ in range(32)
    ]
    start = time.perf_counter()
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("bench"), schema)
    for i in range(int(gigabytes * 1e9) // batches[0].nbytes):
        writer.write_batch(batches[i % len(batches)])
        moved += batches[0].nbytes
    writer.close()
give({"bytes": moved, "seconds": time.perf_counter() - start})
