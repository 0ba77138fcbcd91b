"""Tables of every Arrow type, and a check of what another implementation made of them.

  ipc_tables.py make FOLDER    writes source streams and tells what they are
  ipc_tables.py random FOLDER SEED COUNT   writes random source streams, random-0.arrows and so on
  ipc_tables.py check FOLDER   reads manifest.json: [{"file", "kind": "stream"|"file", "source", "start", "length"}]
                               and compares each file with those rows of its source; prints what differs
"""

import datetime
import decimal
import json
import os
import random
import sys

import pyarrow as pa
import pyarrow.ipc as ipc

from ipc_random import random_batches

ROWS = 200


def values(rows, make, rng):
    return [None if rng.random() < 0.25 else make(i) for i in range(rows)]


def numbers(rng):
    columns = {}
    for bits in (8, 16, 32, 64):
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        columns[f"int{bits}"] = (getattr(pa, f"int{bits}")(), lambda i, l=low, h=high: rng.randint(l, h))
        columns[f"uint{bits}"] = (getattr(pa, f"uint{bits}")(), lambda i, b=bits: rng.randint(0, 2**b - 1))
    columns["float16"] = (pa.float16(), lambda i: float(i) / 4)
    columns["float32"] = (pa.float32(), lambda i: float(i) / 8)
    columns["float64"] = (pa.float64(), lambda i: rng.random() * 1e300)
    for name, precision, scale in (("32", 9, 2), ("64", 18, 5), ("128", 38, 10), ("256", 76, 20)):
        type_ = getattr(pa, f"decimal{name}")(precision, scale)
        digits = precision - 1
        columns[f"decimal{name}"] = (
            type_,
            lambda i, d=digits, s=scale: decimal.Decimal(rng.randint(-(10**d), 10**d)).scaleb(
                -s, decimal.Context(prec=80)
            ),
        )
    return columns


def times(rng):
    columns = {
        "date32": (pa.date32(), lambda i: rng.randint(-100_000, 100_000)),
        "date64": (pa.date64(), lambda i: rng.randint(-10_000, 10_000) * 86_400_000),
        "time32s": (pa.time32("s"), lambda i: rng.randint(0, 86_399)),
        "time32ms": (pa.time32("ms"), lambda i: rng.randint(0, 86_399_999)),
        "time64us": (pa.time64("us"), lambda i: rng.randint(0, 86_399_999_999)),
        "time64ns": (pa.time64("ns"), lambda i: rng.randint(0, 86_399_999_999_999)),
        "month_day_nano": (
            pa.month_day_nano_interval(),
            lambda i: pa.MonthDayNano([rng.randint(-99, 99), i, rng.randint(0, 10**15)]),
        ),
    }
    for unit in ("s", "ms", "us", "ns"):
        columns[f"timestamp_{unit}"] = (pa.timestamp(unit), lambda i: rng.randint(-(2**40), 2**40))
        columns[f"timestamp_{unit}_zone"] = (
            pa.timestamp(unit, tz="America/New_York"),
            lambda i: rng.randint(-(2**40), 2**40),
        )
        columns[f"duration_{unit}"] = (pa.duration(unit), lambda i: rng.randint(-(2**40), 2**40))
    return columns


def texts(rng):
    word = lambda i: "".join(rng.choice("aé☃🦅z ") for _ in range(rng.choice((0, 1, 5, 12, 13, 40))))
    data = lambda i: rng.randbytes(rng.choice((0, 1, 12, 13, 50)))
    return {
        "bool": (pa.bool_(), lambda i: rng.random() < 0.5),
        "utf8": (pa.utf8(), word),
        "large_utf8": (pa.large_utf8(), word),
        "utf8_view": (pa.string_view(), word),
        "binary": (pa.binary(), data),
        "large_binary": (pa.large_binary(), data),
        "binary_view": (pa.binary_view(), data),
        "fixed": (pa.binary(7), lambda i: rng.randbytes(7)),
    }


def nested(rng):
    item = lambda: None if rng.random() < 0.2 else rng.randint(-9, 9)
    listed = lambda i: [item() for _ in range(rng.randint(0, 4))]
    struct = pa.struct([pa.field("b", pa.bool_()), pa.field("t", pa.utf8()), pa.field("l", pa.list_(pa.int16()))])
    record = lambda i: {"b": i % 3 == 0, "t": None if i % 5 == 0 else "x" * (i % 7), "l": listed(i)}
    return {
        "list": (pa.list_(pa.int32()), listed),
        "large_list": (pa.large_list(pa.int64()), listed),
        "fixed_list": (pa.list_(pa.int8(), 3), lambda i: [item(), item(), item()]),
        "list_of_lists": (pa.list_(pa.list_(pa.utf8())), lambda i: [["a" * j for j in range(k)] for k in range(i % 4)]),
        "struct": (struct, record),
        "struct_of_struct": (pa.struct([pa.field("s", struct)]), lambda i: {"s": None if i % 4 == 0 else record(i)}),
        "map": (pa.map_(pa.utf8(), pa.int32()), lambda i: [(f"k{j}", item()) for j in range(i % 4)]),
        "list_of_structs": (pa.list_(struct), lambda i: [record(i + j) for j in range(i % 3)]),
    }


def unions(rows, rng):
    ids = pa.array([rng.choice((5, 9)) for _ in range(rows)], pa.int8())
    numbers_ = pa.array(values(rows, lambda i: i, rng), pa.int32())
    words = pa.array(values(rows, lambda i: f"w{i}", rng), pa.utf8())
    sparse = pa.UnionArray.from_sparse(ids, [numbers_, words], ["n", "w"], [5, 9])
    ends = {5: 0, 9: 0}
    offsets = []
    for id_ in ids.to_pylist():
        offsets.append(ends[id_])
        ends[id_] += 1
    children = [numbers_.slice(0, ends[5]), words.slice(0, ends[9])]
    dense = pa.UnionArray.from_dense(ids, pa.array(offsets, pa.int32()), children, ["n", "w"], [5, 9])
    return {"sparse_union": sparse, "dense_union": dense}


def dictionaries(rows, rng):
    columns = {}
    for name, index in (("i8", pa.int8()), ("u16", pa.uint16()), ("i32", pa.int32()), ("i64", pa.int64())):
        indices = pa.array(values(rows, lambda i: i % 5, rng), index)
        words = pa.array(["a", "bb", None, "dddd", ""], pa.utf8())
        columns[f"dictionary_{name}"] = pa.DictionaryArray.from_arrays(indices, words, ordered=name == "u16")
    inner = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1, 0], pa.int8()), pa.array(["x", "y"]))
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3, 4], pa.int32()), inner)
    indices = pa.array(values(rows, lambda i: i % 3, rng), pa.int8())
    columns["dictionary_of_dictionary"] = pa.DictionaryArray.from_arrays(indices, lists)
    ends = pa.array([i // 2 for i in range(rows + 1)], pa.int32())
    columns["list_of_dictionary"] = pa.ListArray.from_arrays(ends, columns["dictionary_i8"])
    return columns


def every_type(rows, rng):
    columns = {"null": pa.nulls(rows)}
    for name, (type_, make) in {**numbers(rng), **times(rng), **texts(rng), **nested(rng)}.items():
        columns[name] = pa.array(values(rows, make, rng), type_)
        columns[f"{name}_full"] = pa.array([make(i) for i in range(rows)], type_)
    columns.update(unions(rows, rng))
    columns.update(dictionaries(rows, rng))
    table = pa.table(columns)
    fields = [field.with_metadata({"k": field.name, "ü": "☃"}) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, {"origin": "pyarrow", "": ""}))


def raw_types(rows, rng):
    """Types that apache-arrow has no class for."""
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([rows // 2, rows], pa.int32()), pa.array(["a", "b"]))
    views = pa.array([[1] * (i % 4) for i in range(rows)], pa.list_view(pa.int32()))
    large = pa.array([[1] * (i % 4) for i in range(rows)], pa.large_list_view(pa.int64()))
    return pa.table({"runs": runs, "views": views, "large_views": large})


def write(path, table, file=False, **options):
    opener = ipc.new_file if file else ipc.new_stream
    with opener(path, table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)


def make(folder):
    rng = random.Random(7)
    table = every_type(ROWS, rng)
    write(os.path.join(folder, "every.arrows"), table)
    write(os.path.join(folder, "raw.arrows"), raw_types(ROWS, rng))
    words = [["a", "b"], ["a", "b", "c"], ["c", "a"], ["c", "a"]]
    batches = [
        pa.record_batch({"d": pa.array([w[i % len(w)] for i in range(50)]).dictionary_encode()}) for w in words
    ]
    write(os.path.join(folder, "growing.arrows"), pa.Table.from_batches(batches))
    write(os.path.join(folder, "large_dictionaries.arrows"), large_dictionaries(ROWS, rng))
    print(json.dumps({"rows": ROWS, "columns": table.num_columns}))


def large_dictionaries(rows, rng):
    """Dictionaries of many kinds of values, each of some 10 to 100 KiB."""
    count = 2000
    word = lambda i: "w" * (i % 60)
    inner = pa.DictionaryArray.from_arrays(pa.array([i % 700 for i in range(count)], pa.int16()), [word(i) for i in range(700)])
    kinds = {
        "utf8": pa.array([word(i) for i in range(count)]),
        "large_utf8": pa.array([word(i) for i in range(count)], pa.large_utf8()),
        "view": pa.array([word(i) for i in range(count)], pa.string_view()),
        "int64": pa.array(range(count), pa.int64()),
        "bool": pa.array([i % 3 == 0 for i in range(count)]),
        "decimal": pa.array([decimal.Decimal(i) for i in range(count)], pa.decimal128(20, 2)),
        "list": pa.array([[i, None] for i in range(count)], pa.list_(pa.int32())),
        "struct": pa.array([{"a": i, "b": word(i)} for i in range(count)]),
        "of_dictionary": pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), inner),
    }
    indices = lambda: pa.array([None if rng.random() < 0.1 else rng.randrange(count) for _ in range(rows)], pa.int32())
    return pa.table({name: pa.DictionaryArray.from_arrays(indices(), values) for name, values in kinds.items()})


def make_random(folder, seed, count):
    for i in range(count):
        batches = random_batches(random.Random(seed * 10_000 + i))
        with ipc.new_stream(os.path.join(folder, f"random-{i}.arrows"), batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def read(path, kind):
    opener = ipc.open_file if kind == "file" else ipc.open_stream
    with pa.OSFile(path) as source:
        return opener(source).read_all()


def check(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
        manifest = json.load(file)
    sources = {}
    problems = 0
    for entry in manifest:
        source = entry["source"]
        if source not in sources:
            sources[source] = read(os.path.join(folder, source), "stream")
        expected = sources[source].slice(entry["start"], entry["length"])
        actual = read(os.path.join(folder, entry["file"]), entry["kind"])
        actual.validate(full=True)
        if not actual.schema.equals(expected.schema, check_metadata=True):
            problems += 1
            print(f"{entry['file']}: another schema\n{actual.schema}\n---\n{expected.schema}")
        for name in expected.column_names:
            # Other dictionaries may say the same: compare values there.
            same = (
                actual[name].to_pylist() == expected[name].to_pylist()
                if pa.types.is_dictionary(expected[name].type) or source.startswith("random-")
                else actual[name].equals(expected[name])
            )
            if not same:
                problems += 1
                print(f"{entry['file']}: column {name} differs")
    print(json.dumps({"checked": len(manifest), "problems": problems}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    if sys.argv[1] == "random":
        make_random(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
