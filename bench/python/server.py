"""Arrow's C++ Flight as a peer: server.py LOCATION [gigabytes]; options.py has the rest. Prints `ready LOCATION`."""
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
from options import parse, pem, read_batches

ROWS = 65536
COLUMNS = 8


def doubles(count):
    rng = np.random.default_rng(1)
    schema = pa.schema([pa.field(f"c{i}", pa.float64()) for i in range(COLUMNS)])
    return schema, [
        pa.record_batch([pa.array(rng.standard_normal(ROWS)) for _ in range(COLUMNS)], schema=schema)
        for _ in range(count)
    ]


class Server(flight.FlightServerBase):
    def __init__(self, args):
        tls = {}
        if args.tls is not None:
            tls["tls_certificates"] = [(pem(args.tls, "server.crt"), pem(args.tls, "server.key"))]
        super().__init__(args.location, **tls)
        self.options = pa.ipc.IpcWriteOptions(compression=args.compression)
        if args.batches is None:
            schema, batches = doubles(32)
            passes = int(args.gigabytes * 1e9) // (ROWS * COLUMNS * 8) // len(batches)
        else:
            schema, batches = read_batches(args.batches)
            passes = args.passes
        # A table of the same batches again and again: Arrow goes through it without Python.
        self.table = pa.Table.from_batches(batches * passes, schema)

    def do_get(self, context, ticket):
        return flight.RecordBatchStream(self.table, options=self.options)

    def do_put(self, context, descriptor, reader, writer):
        for _ in reader:
            pass

    def do_action(self, context, action):
        yield b"pong"


args = parse("location")
server = Server(args)
scheme = "grpc" if args.tls is None else "grpc+tls"
print("ready", args.location if "unix" in args.location else f"{scheme}://127.0.0.1:{server.port}", flush=True)
server.serve()
