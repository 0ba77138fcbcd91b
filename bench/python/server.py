"""Arrow's C++ Flight as a peer: server.py LOCATION [gigabytes]. Prints `ready LOCATION`."""
import sys

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

ROWS = 65536
COLUMNS = 8


def make_batches(count):
    rng = np.random.default_rng(1)
    schema = pa.schema([pa.field(f"c{i}", pa.float64()) for i in range(COLUMNS)])
    return schema, [
        pa.record_batch([pa.array(rng.standard_normal(ROWS)) for _ in range(COLUMNS)], schema=schema)
        for _ in range(count)
    ]


class Server(flight.FlightServerBase):
    def __init__(self, location, batches_total):
        super().__init__(location)
        self.schema, self.batches = make_batches(32)
        self.total = batches_total

    def do_get(self, context, ticket):
        repeat = self.total // len(self.batches)
        reader = pa.RecordBatchReader.from_batches(
            self.schema, (b for _ in range(repeat) for b in self.batches)
        )
        return flight.RecordBatchStream(reader)

    def do_put(self, context, descriptor, reader, writer):
        for _ in reader:
            pass

    def do_action(self, context, action):
        yield b"pong"


location = sys.argv[1]
gigabytes = float(sys.argv[2]) if len(sys.argv) > 2 else 2
server = Server(location, int(gigabytes * 1e9) // (ROWS * COLUMNS * 8))
print("ready", location if "unix" in location else f"grpc://127.0.0.1:{server.port}", flush=True)
server.serve()
