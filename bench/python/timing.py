"""How long a client took and what of a processor it took: of this process, from `start` on."""
import json
import resource
import time

_began = [0.0, 0.0]


def _cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def start():
    _began[:] = [time.perf_counter(), _cpu()]


def finish(rows):
    seconds = time.perf_counter() - _began[0]
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": _cpu() - _began[1]}))
