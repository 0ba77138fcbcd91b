"""Options of the programs that move batches."""
import argparse
from pathlib import Path

import pyarrow as pa


def parse(*positionals):
    parser = argparse.ArgumentParser()
    for name in positionals:
        parser.add_argument(name)
    parser.add_argument("gigabytes", nargs="?", type=float, default=2)
    parser.add_argument("--batches", help="an IPC file: its batches are sent instead of random doubles")
    parser.add_argument("--passes", type=int, default=1, help="how often all of them are sent")
    parser.add_argument("--compression", choices=["lz4", "zstd"])
    parser.add_argument("--tls", help="a folder with ca.crt, server.crt and server.key")
    parser.add_argument("--wait", action="store_true", help="say `ready` and begin when a line comes")
    return parser.parse_args()


def read_batches(path):
    with pa.memory_map(path) as file:
        reader = pa.ipc.open_file(file)
        return reader.schema, [reader.get_batch(i) for i in range(reader.num_record_batches)]


def pem(folder, name):
    return Path(folder, name).read_bytes()
