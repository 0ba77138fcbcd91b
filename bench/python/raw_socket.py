"""The limit: one process writes, another reads, no protocol. raw_socket.py tcp|unix [gigabytes]. Prints {"bytes", "seconds"}."""
import os
import socket
import sys
import tempfile
import time

from timing import give

kind = sys.argv[1]
total = int(float(sys.argv[2]) * 1e9) if len(sys.argv) > 2 else int(4e9)
with tempfile.TemporaryDirectory() as folder:
    family = socket.AF_INET if kind == "tcp" else socket.AF_UNIX
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0) if kind == "tcp" else os.path.join(folder, "raw.sock"))
    listener.listen()
    address = listener.getsockname()
    child = os.fork()
    if child == 0:
        peer, _ = listener.accept()
        block = bytearray(4 << 20)
        sent = 0
        while sent < total:
            peer.sendall(block)
            sent += len(block)
        os._exit(0)
    reader = socket.socket(family, socket.SOCK_STREAM)
    reader.connect(address)
    block = bytearray(1 << 20)
    moved = 0
    start = time.perf_counter()
    while True:
        count = reader.recv_into(block)
        if count == 0:
            break
        moved += count
    seconds = time.perf_counter() - start
    os.waitpid(child, 0)
give({"bytes": moved, "seconds": seconds})
