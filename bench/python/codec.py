"""Arrow's codecs on one thread: codec.py FILE lz4|zstd compress|decompress. Prints {"bytes", "seconds"}, bytes before compression.

Every buffer of the file's first batch, again and again for a second.
"""
import sys
import time

import pyarrow as pa
from options import read_batches
from timing import give

file, name, what = sys.argv[1:4]
_, batches = read_batches(file)
buffers = [buffer for column in batches[0].columns for buffer in column.buffers() if buffer is not None and buffer.size > 0]
codec = pa.Codec(name, compression_level=1 if name == "zstd" else None)
packed = [(codec.compress(buffer), buffer.size) for buffer in buffers]
moved = 0
start = time.perf_counter()
while time.perf_counter() - start < 1:
    if what == "compress":
        for buffer in buffers:
            codec.compress(buffer)
    else:
        for buffer, size in packed:
            codec.decompress(buffer, size)
    moved += sum(size for _, size in packed)
give({"bytes": moved, "seconds": time.perf_counter() - start})
