"""Writes batches of several shapes as Arrow IPC files: shapes.py FOLDER LINEITEM. Prints `{"NAME": bytes of the batches}`."""
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from timing import give

folder, lineitem = sys.argv[1:3]
random = np.random.default_rng(1)
words = np.array([random.integers(97, 123, size).astype("uint8").tobytes().decode() for size in random.integers(3, 12, 5000)])
sizes = {}


def write(name, batches):
    with pa.OSFile(f"{folder}/{name}.arrow", "wb") as file, pa.ipc.new_file(file, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    sizes[name] = sum(batch.nbytes for batch in batches)


def doubles(rows):
    return pa.array(random.standard_normal(rows))


def texts(rows):
    """Two or three words each, a tenth of them null."""
    pairs = np.char.add(np.char.add(random.choice(words, rows), " "), random.choice(words, rows))
    return pa.array(pairs, mask=random.random(rows) < 0.1)


def some_integers(rows):
    return pa.array(random.integers(0, 1 << 40, rows), mask=random.random(rows) < 0.05)


def named(columns):
    return pa.record_batch(columns, names=[f"c{i}" for i in range(len(columns))])


write("rows-100", [named([doubles(100) for _ in range(8)]) for _ in range(1000)])
write("rows-1000", [named([doubles(1000) for _ in range(8)]) for _ in range(500)])
kinds = [some_integers, doubles, lambda rows: pa.array(random.integers(0, 1000, rows).astype("int32")), texts]
write("columns-200", [named([kinds[i % 4](1000) for i in range(200)]) for _ in range(30)])
write("texts", [named([texts(10_000) for _ in range(8)]) for _ in range(20)])
values = pa.array(np.unique(words)[:2000])
codes = [[random.integers(0, 2000, 10_000).astype("int32") for _ in range(8)] for _ in range(50)]
write("dictionaries", [named([pa.DictionaryArray.from_arrays(c, values) for c in each]) for each in codes])
table = pyarrow.parquet.ParquetFile(lineitem).read_row_groups([0, 1]).combine_chunks()
write("lineitem", table.to_batches(max_chunksize=16_384))
give(sizes)
