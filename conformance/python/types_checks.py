"""Every Arrow type to our server and back: equal here after the round trip, and read the same there.

The server answers the action `canonical` with its own reading of a dataset as JSON; `canonical` below is Arrow
C++'s reading in the same form.
"""

import datetime
import decimal
import json
import struct

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

decimal.getcontext().prec = 100


def canonical(scalar):
    """A value as JSON in which nothing is lost: integers and times as decimal text, floats as their bits."""
    type_ = scalar.type
    if pa.types.is_union(type_):
        # pyarrow does not tell the code of a value that is null
        return [str(scalar.type_code), canonical(scalar.value)] if scalar.is_valid else [None, None]
    if not scalar.is_valid:
        return None
    if isinstance(scalar, pa.ExtensionScalar) or pa.types.is_dictionary(type_):
        return canonical(scalar.value)
    if pa.types.is_boolean(type_):
        return scalar.as_py()
    if pa.types.is_integer(type_):
        return str(scalar.as_py())
    if pa.types.is_floating(type_):
        return struct.pack(">d", float(scalar.as_py())).hex()
    if pa.types.is_decimal(type_):
        return str(int(scalar.as_py().scaleb(type_.scale)))
    if pa.types.is_date(type_) or pa.types.is_time(type_) or pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        return str(scalar.value)
    if type_ == pa.month_day_nano_interval():
        months, days, nanoseconds = scalar.as_py()
        return [str(months), str(days), str(nanoseconds)]
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return scalar.as_py()
    if isinstance(scalar, pa.BinaryScalar) or pa.types.is_binary_view(type_):
        return scalar.as_py().hex()
    if pa.types.is_map(type_):
        return [[canonical(entry[0]), canonical(entry[1])] for entry in map_entries(scalar)]
    if pa.types.is_struct(type_):
        return [canonical(scalar[index]) for index in range(type_.num_fields)]
    return [canonical(item) for item in scalar.values]


def map_entries(scalar):
    for entry in scalar.values:
        yield entry[0], entry[1]


def canonical_table(table):
    return [[canonical(scalar) for chunk in column.chunks for scalar in chunk] for column in table.columns]


def primitive_columns():
    columns = {"null": pa.nulls(5)}
    columns["bool"] = pa.array([True, None, False, True, None])
    for bits in [8, 16, 32, 64]:
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        columns[f"int{bits}"] = pa.array([low, None, 0, high, 1], getattr(pa, f"int{bits}")())
        columns[f"uint{bits}"] = pa.array([0, None, 1, (1 << bits) - 1, 7], getattr(pa, f"uint{bits}")())
    columns["float16"] = pa.array([np.float16(1.5), None, np.float16("inf"), np.float16(-0.0), np.float16(65504)], pa.float16())
    columns["float32"] = pa.array([1.5, None, float("-inf"), -0.0, 3.4e38], pa.float32())
    columns["float64"] = pa.array([1.5, None, 5e-324, -0.0, 1.7e308])
    columns["no nulls"] = pa.array([1, 2, 3, 4, 5])
    columns["all null"] = pa.array([None] * 5, pa.int32())
    return columns


def decimal_columns():
    columns = {}
    for bits, precision, scale in [(32, 9, 2), (64, 18, 4), (128, 38, 10), (256, 76, 20), (128, 5, -2)]:
        type_ = getattr(pa, f"decimal{bits}")(precision, scale)
        most = decimal.Decimal(10**precision - 1).scaleb(-scale)
        columns[f"decimal{bits}({precision}, {scale})"] = pa.array([most, None, -most, decimal.Decimal(0), decimal.Decimal(1).scaleb(-scale)], type_)
    return columns


def binary_columns():
    texts = ["", None, "short", "ünïcödé 日本語 😀", "a text that is longer than the twelve bytes of a view"]
    blobs = [b"", None, b"\x00\xff", bytes(range(256)), b"exactly 12 b"]
    return {
        "utf8": pa.array(texts, pa.string()),
        "large_utf8": pa.array(texts, pa.large_string()),
        "utf8_view": pa.array(texts, pa.string_view()),
        "binary": pa.array(blobs, pa.binary()),
        "large_binary": pa.array(blobs, pa.large_binary()),
        "binary_view": pa.array(blobs, pa.binary_view()),
        "fixed_size_binary": pa.array([b"abc", None, b"\x00\x00\x00", b"\xff\xff\xff", b"xyz"], pa.binary(3)),
    }


def temporal_columns():
    columns = {
        "date32": pa.array([0, None, -719162, 2932896, 1], pa.date32()),
        "date64": pa.array([0, None, -86_400_000, 253402214400000, 86_400_000], pa.date64()),
        "time32[s]": pa.array([0, None, 86399, 1, 2], pa.time32("s")),
        "time32[ms]": pa.array([0, None, 86399999, 1, 2], pa.time32("ms")),
        "time64[us]": pa.array([0, None, 86399999999, 1, 2], pa.time64("us")),
        "time64[ns]": pa.array([0, None, 86399999999999, 1, 2], pa.time64("ns")),
        "interval": pa.array([pa.MonthDayNano([1, -2, 3]), None, pa.MonthDayNano([0, 0, -(1 << 62)]), pa.MonthDayNano([2**31 - 1, -(2**31), 0]), pa.MonthDayNano([0, 0, 0])]),
    }
    for unit in ["s", "ms", "us", "ns"]:
        values = [0, None, -1, 1_700_000_000_123_456_789 // {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit], 1]
        columns[f"timestamp[{unit}]"] = pa.array(values, pa.timestamp(unit))
        columns[f"timestamp[{unit}, zone]"] = pa.array(values, pa.timestamp(unit, "Europe/Berlin"))
        columns[f"duration[{unit}]"] = pa.array(values, pa.duration(unit))
    columns["timestamp[us, +02:00]"] = pa.array([1, 2, 3, None, 4], pa.timestamp("us", "+02:00"))
    return columns


def nested_columns():
    lists = [[1, None, 3], None, [], [4], [5, 6]]
    columns = {
        "list": pa.array(lists, pa.list_(pa.int32())),
        "large_list": pa.array(lists, pa.large_list(pa.int64())),
        "fixed_size_list": pa.array([[1, 2], None, [3, None], [5, 6], [7, 8]], pa.list_(pa.int16(), 2)),
        "list of list": pa.array([[["a"], None, []], None, [], [["b", None]], [[]]], pa.list_(pa.list_(pa.string()))),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 4, "b": None}, {"a": 5, "b": ""}], pa.struct([("a", pa.int32()), ("b", pa.string())])),
        "list of struct": pa.array([[{"a": 1.5}], None, [], [{"a": None}, {"a": 2.5}], [None]], pa.list_(pa.struct([("a", pa.float64())]))),
        "struct of struct": pa.array([{"s": {"t": [1]}}, None, {"s": None}, {"s": {"t": None}}, {"s": {"t": []}}], pa.struct([("s", pa.struct([("t", pa.list_(pa.int8()))]))])),
        "map": pa.array([[("a", 1), ("b", None)], None, [], [("c", 3)], [("", 0)]], pa.map_(pa.string(), pa.int64())),
        "sorted map": pa.array([[(1, "a"), (2, "b")], None, [], [(3, None)], [(4, "")]], pa.map_(pa.int32(), pa.string(), keys_sorted=True)),
        "map of list": pa.array([[("a", [1, 2])], None, [], [("c", None)], [("", [])]], pa.map_(pa.string(), pa.list_(pa.int32()))),
    }
    return columns


def union_columns():
    types = pa.array([0, 1, 0, 1, 0], pa.int8())
    ints = pa.array([1, 2, None, 4, 5], pa.int32())
    texts = pa.array(["a", "b", "c", None, "e"])
    return {
        "sparse_union": pa.UnionArray.from_sparse(types, [ints, texts], ["i", "s"]),
        "dense_union": pa.UnionArray.from_dense(types, pa.array([0, 0, 2, 3, 4], pa.int32()), [ints, texts], ["i", "s"]),
        "union with codes": pa.UnionArray.from_dense(
            pa.array([5, 9, 5, 9, 5], pa.int8()), pa.array([0, 0, 1, 1, 2], pa.int32()), [ints, texts], ["i", "s"], [5, 9]
        ),
    }


def dictionary_columns():
    columns = {}
    for index_type in [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]:
        indices = pa.array([0, None, 2, 1, 0], index_type)
        columns[f"dictionary<{index_type}>"] = pa.DictionaryArray.from_arrays(indices, pa.array(["x", "y", "z"]))
    columns["ordered"] = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0, 1]), pa.array([10, 20]), ordered=True)
    columns["dictionary with null"] = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 1, None]), pa.array(["a", None, "c"]))
    inner = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, None, 1, 1]), pa.array(["p", "q"]))
    columns["list of dictionary"] = pa.ListArray.from_arrays(pa.array([0, 2, 2, 3, 5, 6]), inner)
    columns["struct of dictionary"] = pa.StructArray.from_arrays([inner.slice(0, 5)], ["d"])
    columns["dictionary of list"] = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, None, 1]), pa.array([[1, 2], []], pa.list_(pa.int64())))
    return columns


def round_trip(client, name, table, **options):
    descriptor = flight.FlightDescriptor.for_path("types", name)
    writer, _ = client.do_put(descriptor, table.schema)
    writer.write_table(table, **options)
    writer.close()
    received = client.do_get(flight.Ticket(f"types/{name}".encode())).read_all()
    received.validate(full=True)
    assert received.schema.equals(table.schema, check_metadata=True), f"{received.schema}\nis not\n{table.schema}"
    for field, before, after in zip(table.schema, table.columns, received.columns):
        # a dictionary may come in another order: its values count
        assert [canonical(s) for s in before] == [canonical(s) for s in after], f"{field}: {before}\nbecame\n{after}"
    (body,) = [result.body.to_pybytes() for result in client.do_action(flight.Action("canonical", f"types/{name}".encode()))]
    ours = canonical_table(table)
    theirs = json.loads(body)
    for field, here, there in zip(table.schema, ours, theirs):
        assert here == there, f"{field}: {here}\nis read as\n{there}"
    assert len(ours) == len(theirs)
    return received


def columns_check(name, make):
    def check(client, facts):
        for column, values in make().items():
            round_trip(client, column, pa.table({column: values}))
        together = pa.table(make())
        round_trip(client, name, together)
        # slices begin within bytes of bitmaps and within offsets
        round_trip(client, f"{name} sliced", together.slice(1, 3))
        round_trip(client, f"{name} one by one", pa.concat_tables([together, together]), max_chunksize=1)
        round_trip(client, f"{name} empty", together.slice(0, 0))

    check.__name__ = name
    return check


def dictionary_that_changes(client, facts):
    """Replaced dictionaries, and one that grows: IPC sends each anew."""
    first = pa.table({"d": pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "b"]))})
    second = pa.table({"d": pa.DictionaryArray.from_arrays(pa.array([0, 1, 2]), pa.array(["c", "b", "a"]))})
    descriptor = flight.FlightDescriptor.for_path("types", "changing")
    writer, _ = client.do_put(descriptor, first.schema)
    writer.write_table(first)
    writer.write_table(second)
    writer.write_table(first)
    writer.close()
    received = client.do_get(flight.Ticket(b"types/changing")).read_all()
    assert [s.as_py() for s in received["d"]] == ["a", "b", "c", "b", "a", "a", "b"], received


def metadata_and_extension_types(client, facts):
    schema = pa.schema(
        [
            pa.field("x", pa.int32(), nullable=False, metadata={"k": "v", "empty": ""}),
            pa.field("id", pa.uuid()),
            pa.field("shape", pa.fixed_shape_tensor(pa.int8(), [2])),
            pa.field("nested", pa.struct([pa.field("inner", pa.int8(), nullable=False, metadata={"a": "b"})])),
        ],
        metadata={"schema": "metadata", "ünï": "cödé"},
    )
    table = pa.table(
        [
            pa.array([1, 2], pa.int32()),
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(range(16)), bytes(16)], pa.binary(16))),
            pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.int8(), [2]), pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2))),
            pa.array([{"inner": 1}, {"inner": 2}], schema.field("nested").type),
        ],
        schema,
    )
    assert round_trip(client, "metadata", table).equals(table, check_metadata=True)


def names_that_repeat_or_are_empty(client, facts):
    table = pa.table([pa.array([1]), pa.array(["a"]), pa.array([2.5])], names=["x", "x", ""])
    assert round_trip(client, "names", table).equals(table)


def wide_table(client, facts):
    table = pa.table({f"column {index}": pa.array([index, None], pa.int32()) for index in range(2000)})
    assert round_trip(client, "wide", table).equals(table)


def types_that_apache_arrow_cannot_hold(client, facts):
    """They name field and type at the level of batches, and pass untouched at the raw level."""
    for name, array in {
        "list_view": pa.array([[1, 2], None, []], pa.list_view(pa.int32())),
        "large_list_view": pa.array([[1, 2], None, []], pa.large_list_view(pa.int32())),
        "run_end_encoded": pa.RunEndEncodedArray.from_arrays([2, 3], [1, 2]),
    }.items():
        table = pa.table({f"{name} column": array})
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("types", name), table.schema)
        try:
            writer.write_table(table)
            writer.close()
        except NotImplementedError as error:
            assert f"{name} column" in str(error), error
        else:
            raise AssertionError(f"{name} was accepted")
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("raw", name), table.schema)
        writer.write_table(table)
        writer.close()
        received = client.do_get(flight.Ticket(f"raw/{name}".encode())).read_all()
        assert received.equals(table, check_metadata=True), received


def raw_level_passes_everything(client, facts):
    table = pa.table({**primitive_columns(), **binary_columns(), **nested_columns(), **dictionary_columns(), **union_columns()})
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("raw", "everything"), table.schema)
    writer.write_table(table, 2)
    writer.close()
    received = client.do_get(flight.Ticket(b"raw/everything")).read_all()
    received.validate(full=True)
    assert canonical_table(received) == canonical_table(table)


def older_metadata_version(client, facts):
    table = pa.table({**primitive_columns(), **nested_columns(), **dictionary_columns()})
    options = flight.FlightCallOptions(write_options=pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4))
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("types", "V4"), table.schema, options)
    writer.write_table(table)
    writer.close()
    received = client.do_get(flight.Ticket(b"types/V4")).read_all()
    assert canonical_table(received) == canonical_table(table)


CHECKS = [
    columns_check("primitive_types", primitive_columns),
    columns_check("decimal_types", decimal_columns),
    columns_check("binary_types", binary_columns),
    columns_check("temporal_types", temporal_columns),
    columns_check("nested_types", nested_columns),
    columns_check("union_types", union_columns),
    columns_check("dictionary_types", dictionary_columns),
    dictionary_that_changes,
    metadata_and_extension_types,
    names_that_repeat_or_are_empty,
    wide_table,
    types_that_apache_arrow_cannot_hold,
    raw_level_passes_everything,
    older_metadata_version,
]
