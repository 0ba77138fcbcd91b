"""Random tables: nested types of every kind, with nulls, slices and dictionaries that change from batch to batch."""

import datetime
import decimal

import pyarrow as pa

LEAVES = [
    (pa.null(), lambda r: None),
    (pa.bool_(), lambda r: r.random() < 0.5),
    *[
        (t(), lambda r, b=bits, s=signed: r.randint(-(2 ** (b - 1)), 2 ** (b - 1) - 1) if s else r.randint(0, 2**b - 1))
        for t, bits, signed in (
            (pa.int8, 8, True),
            (pa.int16, 16, True),
            (pa.int32, 32, True),
            (pa.int64, 64, True),
            (pa.uint8, 8, False),
            (pa.uint16, 16, False),
            (pa.uint32, 32, False),
            (pa.uint64, 64, False),
        )
    ],
    (pa.float16(), lambda r: r.randint(-99, 99) / 4),
    (pa.float32(), lambda r: r.randint(-999, 999) / 8),
    (pa.float64(), lambda r: r.random()),
    (pa.decimal32(9, 2), lambda r: decimal.Decimal(r.randint(-(10**6), 10**6)).scaleb(-2)),
    (pa.decimal64(18, 3), lambda r: decimal.Decimal(r.randint(-(10**9), 10**9)).scaleb(-3)),
    (pa.decimal128(30, 4), lambda r: decimal.Decimal(r.randint(-(10**20), 10**20)).scaleb(-4)),
    (pa.decimal256(60, 5), lambda r: decimal.Decimal(r.randint(-(10**25), 10**25)).scaleb(-5)),
    (pa.utf8(), lambda r: "".join(r.choice("ab☃🦅 ") for _ in range(r.choice((0, 1, 3, 13, 30))))),
    (pa.large_utf8(), lambda r: "x" * r.choice((0, 1, 12, 13, 50))),
    (pa.string_view(), lambda r: "v" * r.choice((0, 1, 12, 13, 50))),
    (pa.binary(), lambda r: r.randbytes(r.choice((0, 5, 20)))),
    (pa.large_binary(), lambda r: r.randbytes(r.choice((0, 5, 20)))),
    (pa.binary_view(), lambda r: r.randbytes(r.choice((0, 12, 13, 40)))),
    (pa.binary(5), lambda r: r.randbytes(5)),
    (pa.date32(), lambda r: datetime.date(2000, 1, 1) + datetime.timedelta(r.randint(-9999, 9999))),
    (pa.time64("us"), lambda r: datetime.time(r.randint(0, 23), r.randint(0, 59))),
    (pa.timestamp("us", tz="UTC"), lambda r: r.randint(-(2**40), 2**40)),
    (pa.duration("ms"), lambda r: r.randint(-(2**30), 2**30)),
    (pa.month_day_nano_interval(), lambda r: pa.MonthDayNano([r.randint(-9, 9), r.randint(-9, 9), r.randint(0, 10**9)])),
]


def random_array(r, make, rows):
    """An array of `rows` rows, often a slice of a longer one."""
    extra = r.choice((0, 0, 1, 7, 70))
    if extra:
        before = r.randint(0, extra)
        return make(r, rows + extra).slice(before, rows)
    return make(r, rows)


def mask(r, rows, share):
    return pa.array([r.random() < share for _ in range(rows)], pa.bool_())


NESTED = ["list", "large_list", "fixed_list", "struct", "map", "sparse", "dense"]


def maker(r, depth, kinds=None):
    """A random type, as a function (rng, rows) -> array of it."""
    if kinds is None:
        kinds = ["leaf"] * 3 + ["dictionary"] + ([*NESTED, "dictionary_of"] if depth > 0 else [])
    kind = r.choice(kinds)
    share = r.choice((0, 0.2, 0.9, 1))
    if kind == "leaf":
        type_, value = r.choice(LEAVES)
        return lambda r, n: pa.array([None if r.random() < share else value(r) for _ in range(n)], type_)
    if kind in ("dictionary", "dictionary_of"):
        index = r.choice((pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32()))
        if kind == "dictionary":
            type_, value = r.choice([leaf for leaf in LEAVES if leaf[0] != pa.null() and leaf[0] != pa.bool_()])
            values = lambda r, n: pa.array([value(r) for _ in range(n)], type_)
        else:
            # A field has one dictionary: that of a dictionary begins below a list or the like.
            values = maker(r, depth, NESTED)

        def dictionary(r, n):
            size = r.randint(1, 100)
            indices = pa.array([None if r.random() < share else r.randrange(size) for _ in range(n)], index)
            return pa.DictionaryArray.from_arrays(indices, values(r, size))

        return dictionary
    inner = maker(r, depth - 1)
    if kind in ("list", "large_list", "map"):

        def listed(r, n):
            ends = [0]
            for _ in range(n):
                ends.append(ends[-1] + r.choice((0, 0, 1, 2, 5)))
            offsets = pa.array(ends, pa.int64() if kind == "large_list" else pa.int32())
            if kind == "map":
                names = pa.array([f"k{i}" for i in range(ends[-1])], pa.utf8())
                return pa.MapArray.from_arrays(offsets, names, inner(r, ends[-1]))
            class_ = pa.LargeListArray if kind == "large_list" else pa.ListArray
            return class_.from_arrays(offsets, inner(r, ends[-1]), mask=mask(r, n, share) if n else None)

        return listed
    if kind == "fixed_list":
        size = r.randint(1, 3)
        return lambda r, n: pa.FixedSizeListArray.from_arrays(inner(r, n * size), size)
    others = [inner, *[maker(r, depth - 1) for _ in range(r.randint(0, 2))]]
    names = [f"f{i}" for i in range(len(others))]
    if kind == "struct":
        return lambda r, n: pa.StructArray.from_arrays([o(r, n) for o in others], names, mask=mask(r, n, share))
    codes = r.sample(range(20), len(others))
    if kind == "sparse":

        def sparse(r, n):
            ids = pa.array([r.choice(codes) for _ in range(n)], pa.int8())
            return pa.UnionArray.from_sparse(ids, [o(r, n) for o in others], names, codes)

        return sparse

    def dense(r, n):
        ids = [r.choice(codes) for _ in range(n)]
        ends = {code: 0 for code in codes}
        offsets = []
        for id_ in ids:
            offsets.append(ends[id_])
            ends[id_] += 1
        children = [o(r, ends[code]) for o, code in zip(others, codes)]
        return pa.UnionArray.from_dense(pa.array(ids, pa.int8()), pa.array(offsets, pa.int32()), children, names, codes)

    return dense


def random_batches(r):
    """Batches of one random schema."""
    makers = [maker(r, r.choice((0, 1, 2, 3))) for _ in range(r.randint(1, 4))]
    names = [f"c{i}" for i in range(len(makers))]
    batches = []
    for _ in range(r.randint(1, 3)):
        rows = r.choice((0, 1, 8, 63, 200))
        arrays = [random_array(r, make, rows) for make in makers]
        batches.append(pa.RecordBatch.from_arrays(arrays, names))
    return batches
