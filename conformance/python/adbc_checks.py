"""ADBC's Flight SQL driver against a server over DuckDB.

    python adbc_checks.py URI
"""

import contextlib
import datetime
import decimal
import threading
import time

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions
from checks import URI, check, count, main, refused, rows

def connect(autocommit=True, **options):
    return flightsql.connect(URI, db_kwargs=options, autocommit=autocommit)


def cookies():
    return {DatabaseOptions.WITH_COOKIE_MIDDLEWARE.value: "true"}


@check
def select():
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "SELECT 42 AS answer, 'text' AS t") == [(42, "text")]
        cur.execute("SELECT range AS i FROM range(200000)")
        table = cur.fetch_arrow_table()
        assert table.num_rows == 200000
        assert table["i"].to_pylist()[-1] == 199999


@check
def empty_result_has_its_schema():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT 1 AS a, 'x' AS b WHERE false")
        table = cur.fetch_arrow_table()
        assert table.column_names == ["a", "b"] and table.num_rows == 0


@check
def ddl_and_dml_by_the_query_path_run_once():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE once (i INTEGER)")
        cur.execute("INSERT INTO once VALUES (1), (2)")
        assert count(cur, "once") == 2
        cur.execute("UPDATE once SET i = i + 1")
        assert rows(cur, "SELECT sum(i) FROM once") == [(5,)]
        cur.execute("INSERT INTO once VALUES (9) RETURNING i * 2 AS double")
        assert cur.fetchall() == [(18,)]
        assert count(cur, "once") == 3
        cur.execute("DROP TABLE once")


@check
def updates_tell_their_count():
    with connect() as conn:
        low = adbc_driver_manager.AdbcStatement(conn.adbc_connection)
        low.set_sql_query("CREATE TABLE counted (i INTEGER)")
        low.execute_update()
        low.set_sql_query("INSERT INTO counted SELECT range FROM range(7)")
        assert low.execute_update() == 7
        low.set_sql_query("DELETE FROM counted WHERE i < 3")
        assert low.execute_update() == 3
        low.set_sql_query("DROP TABLE counted")
        low.execute_update()
        low.close()


BINDS = [
    (pa.bool_(), True, "BOOLEAN"),
    (pa.int8(), -5, "TINYINT"),
    (pa.int16(), -500, "SMALLINT"),
    (pa.int32(), -70000, "INTEGER"),
    (pa.int64(), -(2**40), "BIGINT"),
    (pa.uint8(), 200, "UTINYINT"),
    (pa.uint16(), 60000, "USMALLINT"),
    (pa.uint32(), 4000000000, "UINTEGER"),
    (pa.uint64(), 2**63 + 1, "UBIGINT"),
    (pa.float32(), 1.5, "FLOAT"),
    (pa.float64(), 2.25, "DOUBLE"),
    (pa.string(), "häł\U0001f600", "VARCHAR"),
    (pa.large_string(), "large", "VARCHAR"),
    (pa.binary(), b"\x00\xff", "BLOB"),
    (pa.large_binary(), b"\x01\x02", "BLOB"),
    (pa.date32(), datetime.date(2024, 2, 29), "DATE"),
    (pa.time64("us"), datetime.time(1, 2, 3, 4), "TIME"),
    (pa.timestamp("us"), datetime.datetime(2024, 2, 29, 1, 2, 3, 4), "TIMESTAMP"),
    (
        pa.timestamp("us", "UTC"),
        datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.timezone.utc),
        "TIMESTAMPTZ",
    ),
    (pa.decimal128(10, 2), decimal.Decimal("12345678.90"), "DECIMAL(10,2)"),
    (pa.decimal128(38, 10), decimal.Decimal("1234567890123456789012345678.0123456789"), "DECIMAL(38,10)"),
    (pa.string_view(), "a view of some length", "VARCHAR"),
    (pa.binary_view(), b"a view of some length", "BLOB"),
    (pa.binary(3), b"abc", "BLOB"),
    (pa.timestamp("s"), datetime.datetime(2024, 2, 29, 1, 2, 3), "TIMESTAMP_S"),
    (pa.timestamp("ms"), datetime.datetime(2024, 2, 29, 1, 2, 3, 4000), "TIMESTAMP_MS"),
    (pa.time32("s"), datetime.time(1, 2, 3), "TIME"),
    (pa.date64(), datetime.date(2024, 2, 29), "DATE"),
    (pa.list_(pa.int32()), [1, None, 3], "INTEGER[]"),
    (pa.large_list(pa.string()), ["x", None], "VARCHAR[]"),
    (pa.list_(pa.int32(), 3), [1, None, 3], "INTEGER[3]"),
    (pa.struct([("a", pa.int32()), ("b", pa.string())]), {"a": 1, "b": None}, "STRUCT(a INTEGER, b VARCHAR)"),
    (pa.map_(pa.string(), pa.int32()), [("k", 1), ("l", None)], "MAP(VARCHAR, INTEGER)"),
    (pa.month_day_nano_interval(), pa.MonthDayNano([14, 3, 5000]), "INTERVAL"),
    (pa.dictionary(pa.int8(), pa.string()), "word", "VARCHAR"),
]


@check
def binds_of_every_type():
    wrong = []
    with connect() as conn, conn.cursor() as cur:
        for arrow, value, name in BINDS:
            for given in (value, None):
                try:
                    batch = pa.record_batch([pa.array([given], arrow)], ["p"])
                    cur.execute(f"SELECT ?::{name} AS v", batch)
                    got = cur.fetch_arrow_table()["v"].to_pylist()
                    if got != [given]:
                        wrong.append(f"{arrow} {given!r}: {got!r}")
                except Exception as error:  # noqa: BLE001
                    wrong.append(f"{arrow} {given!r}: {error}")
    assert not wrong, "\n".join(wrong)


@check
def binds_by_position():
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "SELECT ? + ? AS s", (40, 2)) == [(42,)]
        assert rows(cur, "SELECT ? AS a, ? AS b", ("x", None))[0][0] == "x"


@check
def executemany_runs_each_row():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE many (i INTEGER, s VARCHAR)")
        cur.executemany("INSERT INTO many VALUES (?, ?)", [(i, f"row {i}") for i in range(25)])
        assert count(cur, "many") == 25
        assert rows(cur, "SELECT s FROM many WHERE i = 24") == [("row 24",)]
        batch = pa.record_batch([pa.array([100, 101]), pa.array(["a", None])], ["i", "s"])
        cur.executemany("INSERT INTO many VALUES (?, ?)", batch)
        assert count(cur, "many") == 27
        # all or nothing
        refused(
            lambda: cur.executemany("INSERT INTO many VALUES (?::INTEGER, 'x')", [("1",), ("no number",)]),
            "onver",
        )
        assert count(cur, "many") == 27
        cur.execute("DROP TABLE many")


@check
def prepared_statements_are_used_again():
    with connect() as conn, conn.cursor() as cur:
        cur.adbc_prepare("SELECT ?::BIGINT * 2 AS d")
        for value in range(5):
            cur.execute("SELECT ?::BIGINT * 2 AS d", (value,))
            assert cur.fetchall() == [(value * 2,)]


@check
def parameter_schema():
    with connect() as conn, conn.cursor() as cur:
        schema = cur.adbc_prepare("SELECT ?::INTEGER + 1, ?")
        assert len(schema) == 2, schema


@check
def ingest_in_each_mode():
    table = pa.table({"i": [1, 2, 3], "s": ["a", None, "c"]})
    with connect() as conn, conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS ingested")
        assert cur.adbc_ingest("ingested", table, mode="create") == 3
        refused(lambda: cur.adbc_ingest("ingested", table, mode="create"), "xists")
        assert cur.adbc_ingest("ingested", table, mode="append") == 3
        assert count(cur, "ingested") == 6
        assert cur.adbc_ingest("ingested", table, mode="create_append") == 3
        assert count(cur, "ingested") == 9
        assert cur.adbc_ingest("ingested", table, mode="replace") == 3
        assert count(cur, "ingested") == 3
        refused(lambda: cur.adbc_ingest("not_there", table, mode="append"), "not_there", "exist")
        cur.execute("DROP TABLE ingested")


@check
def ingest_of_every_type_in_each_mode():
    moment = datetime.datetime(2020, 1, 1, 1, 2, 3)
    columns = {
        "b": pa.array([True, None]),
        "i8": pa.array([1, None], pa.int8()),
        "i16": pa.array([-300, None], pa.int16()),
        "i32": pa.array([-70000, None], pa.int32()),
        "i64": pa.array([-(2**40), None], pa.int64()),
        "u8": pa.array([255, None], pa.uint8()),
        "u16": pa.array([65535, None], pa.uint16()),
        "u32": pa.array([2**32 - 1, None], pa.uint32()),
        "u64": pa.array([2**63, None], pa.uint64()),
        "f32": pa.array([1.5, None], pa.float32()),
        "f64": pa.array([1.25, None], pa.float64()),
        "s": pa.array(["x", None]),
        "ls": pa.array(["x", None], pa.large_string()),
        "sv": pa.array(["a view of some length", None], pa.string_view()),
        "bin": pa.array([b"\x00", None], pa.binary()),
        "lbin": pa.array([b"\x00", None], pa.large_binary()),
        "bv": pa.array([b"a view of some length", None], pa.binary_view()),
        "fb": pa.array([b"abc", None], pa.binary(3)),
        "d": pa.array([datetime.date(2020, 1, 1), None]),
        "d64": pa.array([datetime.date(2020, 1, 1), None], pa.date64()),
        "t32": pa.array([datetime.time(1, 2, 3), None], pa.time32("ms")),
        "t": pa.array([datetime.time(1, 2, 3), None], pa.time64("us")),
        "ts_s": pa.array([moment, None], pa.timestamp("s")),
        "ts_ms": pa.array([moment, None], pa.timestamp("ms")),
        "ts": pa.array([moment, None], pa.timestamp("us")),
        "ts_ns": pa.array([moment, None], pa.timestamp("ns")),
        "tz": pa.array([moment, None], pa.timestamp("us", "UTC")),
        "iv": pa.array([pa.MonthDayNano([14, 3, 5000]), None], pa.month_day_nano_interval()),
        "dec": pa.array([decimal.Decimal("1.23"), None], pa.decimal128(9, 2)),
        "dec38": pa.array([decimal.Decimal("-1234567890123456789012345678.0123456789"), None], pa.decimal128(38, 10)),
        "l": pa.array([[1, None], None], pa.list_(pa.int32())),
        "ll": pa.array([["x", None], None], pa.large_list(pa.string())),
        "fl": pa.array([[1, None, 3], None], pa.list_(pa.int32(), 3)),
        "st": pa.array([{"a": 1, "b": "x"}, None], pa.struct([("a", pa.int64()), ("b", pa.string())])),
        "nest": pa.array([[{"a": [1, None]}, None], None], pa.list_(pa.struct([("a", pa.list_(pa.int32()))]))),
        "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())),
        "dict": pa.array(["x", None]).dictionary_encode(),
        "n": pa.nulls(2),
    }
    wrong = []
    with connect() as conn, conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS typed")
        for name, column in columns.items():
            table = pa.table({name: column})
            expected = []
            for mode in ("create", "append", "create_append", "replace"):
                try:
                    assert cur.adbc_ingest("typed", table, mode=mode) == 2
                    expected = column.to_pylist() if mode == "replace" else expected + column.to_pylist()
                    cur.execute("SELECT * FROM typed")
                    got = cur.fetch_arrow_table()[name].to_pylist()
                    if sorted(got, key=lambda v: v is None) != sorted(expected, key=lambda v: v is None):
                        wrong.append(f"{name} {mode}: {got!r}")
                except Exception as error:  # noqa: BLE001
                    wrong.append(f"{name} {mode}: {error}")
            cur.execute("DROP TABLE IF EXISTS typed")
    assert not wrong, "\n".join(wrong)


@check
def ingest_of_what_duckdb_has_not_is_refused_whole():
    columns = {
        "f16": pa.array([1.5], pa.float16()),
        "dec256": pa.array([decimal.Decimal(10) ** 50], pa.decimal256(60, 0)),
        "ree": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"])),
    }
    with connect() as conn, conn.cursor() as cur:
        for name, column in columns.items():
            try:
                cur.adbc_ingest("odd", pa.table({name: column}), mode="create")
            except Exception as error:  # noqa: BLE001
                assert str(error), name
                refused(lambda: count(cur, "odd"), "odd")
            else:
                cur.execute("SELECT * FROM odd")
                got = cur.fetch_arrow_table()[name].to_pylist()
                assert [str(value) for value in got] == [str(value) for value in column.to_pylist()], f"{name}: {got}"
                cur.execute("DROP TABLE odd")
        assert rows(cur, "SELECT 1") == [(1,)]


@check
def ingest_of_many_batches():
    batches = [pa.record_batch({"i": list(range(n * 1000, n * 1000 + 1000))}) for n in range(50)]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    with connect() as conn, conn.cursor() as cur:
        assert cur.adbc_ingest("large", reader, mode="replace") == 50000
        assert rows(cur, "SELECT sum(i) FROM large") == [(sum(range(50000)),)]
        cur.execute("DROP TABLE large")


@check
def ingest_into_a_schema():
    table = pa.table({"i": [1]})
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE SCHEMA IF NOT EXISTS other")
        cur.adbc_ingest("there", table, mode="replace", db_schema_name="other")
        assert count(cur, "other.there") == 1
        cur.adbc_ingest("there", table, mode="append", catalog_name="memory", db_schema_name="other")
        assert count(cur, "other.there") == 2
        cur.execute("DROP SCHEMA other CASCADE")


@check
def ingest_of_a_temporary_table():
    table = pa.table({"i": [1, 2]})
    for options in ({}, cookies()):
        with connect(**options) as conn, conn.cursor() as cur:
            cur.adbc_ingest("fleeting", table, mode="create", temporary=True)
            assert count(cur, "fleeting") == 2
        with connect(**options) as conn, conn.cursor() as cur:
            refused(lambda: count(cur, "fleeting"), "fleeting")


@check
def ingest_in_a_transaction():
    table = pa.table({"i": [1, 2]})
    with connect(autocommit=False) as conn, conn.cursor() as cur:
        cur.adbc_ingest("in_txn", table, mode="create")
        assert count(cur, "in_txn") == 2
        conn.rollback()
        refused(lambda: count(cur, "in_txn"), "in_txn")
        conn.rollback()
        cur.adbc_ingest("in_txn", table, mode="create")
        conn.commit()
        with connect() as other, other.cursor() as seen:
            assert count(seen, "in_txn") == 2
            seen.execute("DROP TABLE in_txn")
        conn.rollback()


@check
def transactions():
    with connect() as setup, setup.cursor() as cur:
        cur.execute("CREATE TABLE txn (i INTEGER)")
    with connect(autocommit=False) as conn, conn.cursor() as cur, connect() as other, other.cursor() as seen:
        cur.execute("INSERT INTO txn VALUES (1)")
        assert count(cur, "txn") == 1
        assert count(seen, "txn") == 0
        conn.rollback()
        assert count(cur, "txn") == 0
        cur.execute("INSERT INTO txn VALUES (2)")
        conn.commit()
        assert count(seen, "txn") == 1
        cur.executemany("INSERT INTO txn VALUES (?)", [(3,), (4,)])
        conn.rollback()
        assert count(seen, "txn") == 1
        conn.rollback()
        seen.execute("DROP TABLE txn")


@check
def transactions_that_fail():
    # a statement that fails: the connection goes on after rollback()
    with connect(autocommit=False) as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE failing (i INTEGER PRIMARY KEY)")
        conn.commit()
        refused(lambda: cur.execute("INSERT INTO failing VALUES (1), (1)"), "Constraint Error")
        conn.rollback()
        cur.execute("INSERT INTO failing VALUES (2)")
        conn.commit()
    # a commit that fails: arrow-go forgets the transaction, and the connection with it; SQL's own goes on
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "FROM failing") == [(2,)]
        cur.execute("BEGIN")
        refused(lambda: cur.execute("INSERT INTO failing VALUES (1), (1)"), "Constraint Error")
        refused(lambda: cur.execute("COMMIT"), "nothing was committed")
        cur.execute("ROLLBACK")
        cur.execute("BEGIN")
        cur.execute("INSERT INTO failing VALUES (3)")
        cur.execute("COMMIT")
        assert count(cur, "failing") == 2
        cur.execute("DROP TABLE failing")


@check
def two_cursors_of_one_transaction():
    with connect(autocommit=False) as conn, conn.cursor() as first, conn.cursor() as second:
        first.execute("SELECT range FROM range(100000)")
        assert first.fetchone() == (0,)
        assert rows(second, "SELECT 7") == [(7,)]
        assert len(first.fetchall()) == 99999
        conn.rollback()


@check
def an_open_transaction_ends_with_its_connection():
    with connect() as setup, setup.cursor() as cur:
        cur.execute("CREATE TABLE left_open (i INTEGER)")
    conn = connect(autocommit=False)
    cursor = conn.cursor()
    cursor.execute("INSERT INTO left_open VALUES (1)")
    cursor.close()
    conn.close()
    with connect() as other, other.cursor() as seen:
        assert count(seen, "left_open") == 0
        seen.execute("DROP TABLE left_open")


@check
def execute_schema():
    with connect() as conn, conn.cursor() as cur:
        schema = cur.adbc_execute_schema("SELECT 1::BIGINT AS a, 'x' AS b")
        assert schema.names == ["a", "b"] and schema.field("a").type == pa.int64()
        # the driver prepares, and a statement that gives no rows is prepared without a schema
        refused(lambda: cur.adbc_execute_schema("CREATE TABLE never_made (i INTEGER)"), "did not provide schema")
        refused(lambda: count(cur, "never_made"), "never_made")


@check
def advertised_schema_is_the_streamed_one():
    with connect() as conn, conn.cursor() as cur:
        for sql in (
            "SELECT 1 AS a",
            "SELECT NULL AS n",
            "SELECT [1, 2] AS l, {'a': 1} AS s, MAP {'k': 1} AS m",
            "SELECT 'a'::ENUM('a', 'b') AS e",
            "SELECT uuid() AS u, '1'::JSON AS j",
            "SELECT * FROM duckdb_settings() LIMIT 1",
            "DESCRIBE SELECT 1 AS a",
            "SHOW TABLES",
            "VALUES (1, 'x')",
            "EXPLAIN SELECT 1",
        ):
            schema = cur.adbc_execute_schema(sql)
            cur.execute(sql)
            streamed = cur.fetch_arrow_table().schema
            assert schema.equals(streamed, check_metadata=True), f"{sql}: {schema} != {streamed}"


@check
def partitions():
    with connect() as conn, conn.cursor() as cur:
        parts, schema = cur.adbc_execute_partitions("SELECT range AS i FROM range(1000)")
        assert schema.names == ["i"]
        total = 0
        with connect() as other, other.cursor() as reading:
            for part in parts:
                reading.adbc_read_partition(part)
                total += reading.fetch_arrow_table().num_rows
        assert total == 1000


@check
def incremental_execution_polls():
    """The driver polls until there are partitions, and gives none when the query is done."""
    slow = "SELECT count(*) AS n FROM slow_rows WHERE sha256(repeat('x', 1000) || i) > '1'"
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE slow_rows AS SELECT range AS i FROM range(1000000)")
        for prepare in (False, True):
            low = adbc_driver_manager.AdbcStatement(conn.adbc_connection)
            try:
                low.set_options(**{"adbc.statement.exec.incremental": "true"})
                low.set_sql_query(slow)
                if prepare:
                    low.prepare()
                parts, schema, _ = low.execute_partitions()
                assert pa.Schema._import_from_c_capsule(schema.__arrow_c_schema__()).names == ["n"]
                assert len(parts) == 1, len(parts)
                assert low.get_option_float("adbc.statement.exec.progress") == 1.0
                assert low.execute_partitions()[0] == []
            finally:
                low.close()
            with connect() as other, other.cursor() as reading:
                reading.adbc_read_partition(parts[0])
                assert reading.fetchone()[0] > 0
        cur.execute("DROP TABLE slow_rows")


@check
def cancel():
    with connect() as conn, conn.cursor() as cur:
        begun = time.monotonic()

        def run():
            cur.execute("SELECT count(*) FROM range(10000000000) a WHERE a.range % 7 = 3")
            cur.fetchall()

        # again and again: on a busy machine the statement may not have begun when the first comes
        over = threading.Event()

        def cancel_until_over():
            while not over.wait(0.5):
                # a driver may refuse to cancel what has not begun or is over
                with contextlib.suppress(Exception):
                    cur.adbc_cancel()

        canceller = threading.Thread(target=cancel_until_over)
        canceller.start()
        try:
            refused(run, "ancel", "CANCEL", "nterrupt")
        finally:
            over.set()
            canceller.join()
        assert time.monotonic() - begun < 120
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "SELECT 1") == [(1,)]


@check
def errors_carry_the_text_of_the_engine():
    with connect() as conn, conn.cursor() as cur:
        refused(lambda: cur.execute("SELEC 1"), "syntax error")
        refused(lambda: cur.execute("SELECT * FROM nowhere"), "nowhere")
        refused(lambda: rows(cur, "SELECT CAST('x' AS INTEGER)"), "onver")
        assert rows(cur, "SELECT 1") == [(1,)]


def setup_objects(cur):
    cur.execute("DROP TABLE IF EXISTS child")
    cur.execute("DROP TABLE IF EXISTS parent")
    cur.execute("CREATE TABLE parent (id INTEGER, part VARCHAR, note VARCHAR UNIQUE, PRIMARY KEY (id, part))")
    cur.execute(
        "CREATE TABLE child (c BIGINT PRIMARY KEY, pid INTEGER NOT NULL, ppart VARCHAR, d DECIMAL(9,2), "
        "FOREIGN KEY (pid, ppart) REFERENCES parent (id, part))"
    )
    cur.execute("COMMENT ON COLUMN parent.note IS 'a remark'")
    cur.execute("CREATE OR REPLACE VIEW seen AS SELECT id FROM parent")


@check
def get_objects_at_each_depth():
    with connect() as conn, conn.cursor() as cur:
        setup_objects(cur)
        catalogs = conn.adbc_get_objects(depth="catalogs").read_all().to_pylist()
        assert "memory" in [c["catalog_name"] for c in catalogs]
        (memory,) = conn.adbc_get_objects(depth="db_schemas", catalog_filter="memory").read_all().to_pylist()
        assert "main" in [s["db_schema_name"] for s in memory["catalog_db_schemas"]]
        (memory,) = (
            conn.adbc_get_objects(depth="tables", catalog_filter="memory", db_schema_filter="main", table_name_filter="%en%")
            .read_all()
            .to_pylist()
        )
        (main,) = memory["catalog_db_schemas"]
        assert [t["table_name"] for t in main["db_schema_tables"]] == ["parent", "seen"]
        (memory,) = (
            conn.adbc_get_objects(depth="tables", catalog_filter="memory", db_schema_filter="main", table_types_filter=["VIEW"])
            .read_all()
            .to_pylist()
        )
        assert "parent" not in [t["table_name"] for t in memory["catalog_db_schemas"][0]["db_schema_tables"]]
        (memory,) = (
            conn.adbc_get_objects(depth="all", catalog_filter="memory", table_name_filter="child").read_all().to_pylist()
        )
        (table,) = [t for s in memory["catalog_db_schemas"] for t in s["db_schema_tables"] or []]
        columns = {c["column_name"]: c for c in table["table_columns"]}
        assert list(columns) == ["c", "pid", "ppart", "d"]
        assert columns["d"]["xdbc_type_name"] == "DECIMAL", columns["d"]
        assert columns["c"]["xdbc_type_name"] == "BIGINT", columns["c"]
        (memory,) = (
            conn.adbc_get_objects(depth="all", catalog_filter="memory", table_name_filter="parent", column_name_filter="no%")
            .read_all()
            .to_pylist()
        )
        (table,) = [t for s in memory["catalog_db_schemas"] for t in s["db_schema_tables"] or []]
        assert [c["column_name"] for c in table["table_columns"]] == ["note"]
        nothing = conn.adbc_get_objects(depth="all", catalog_filter="not there").read_all()
        assert nothing.num_rows == 0


@check
def get_info():
    with connect() as conn:
        info = conn.adbc_get_info()
        assert info["vendor_name"] == "DuckDB", info
        assert info["vendor_version"], info


@check
def get_table_schema_and_types():
    with connect() as conn, conn.cursor() as cur:
        setup_objects(cur)
        schema = conn.adbc_get_table_schema("child")
        assert schema.names == ["c", "pid", "ppart", "d"]
        assert schema.field("d").type == pa.decimal128(9, 2)
        assert not schema.field("pid").nullable and schema.field("ppart").nullable
        assert schema.field("d").metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"DECIMAL"
        note = conn.adbc_get_table_schema("parent").field("note")
        assert note.metadata[b"ARROW:FLIGHT:SQL:REMARKS"] == b"a remark"
        assert set(conn.adbc_get_table_types()) == {"BASE TABLE", "VIEW", "LOCAL TEMPORARY"}
        refused(lambda: conn.adbc_get_table_schema("not_there"), "not_there", "ot found", "No table")


@check
def statistics_are_refused_cleanly():
    with connect() as conn:
        refused(lambda: conn.adbc_connection.get_statistics(approximate=False), "NOT_IMPLEMENTED", "ot impl", "not supp")


@check
def sessions():
    with connect(**cookies()) as conn, conn.cursor() as cur:
        cur.execute("CREATE SCHEMA IF NOT EXISTS workplace")
        conn.adbc_current_db_schema = "workplace"
        assert conn.adbc_current_db_schema == "workplace"
        assert conn.adbc_current_catalog == "memory"
        assert rows(cur, "SELECT current_schema()") == [("workplace",)]
        with connect() as other, other.cursor() as seen:
            assert rows(seen, "SELECT current_schema()") == [("main",)]
        conn.adbc_current_db_schema = "main"
        cur.execute("DROP SCHEMA workplace")

        def wrong():
            conn.adbc_current_db_schema = "nowhere"

        refused(wrong, "nowhere", "INVALID", "nvalid")


@check
def settings_by_sql_stay_with_the_client():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("SET SESSION TimeZone = 'Asia/Tokyo'")
        assert rows(cur, "SELECT current_setting('TimeZone')") == [("Asia/Tokyo",)]
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "SELECT current_setting('TimeZone')") != [("Asia/Tokyo",)]


@check
def substrait_is_refused():
    with connect() as conn:
        low = adbc_driver_manager.AdbcStatement(conn.adbc_connection)
        low.set_substrait_plan(b"plan")
        refused(lambda: low.execute_query(), "NOT_IMPLEMENTED", "does not serve")
        low.close()


@check
def many_clients_at_once():
    failures = []

    def work(number):
        try:
            with connect() as conn, conn.cursor() as cur:
                for i in range(5):
                    assert rows(cur, f"SELECT {number} * 1000 + {i}") == [(number * 1000 + i,)]
        except Exception as error:  # noqa: BLE001
            failures.append(str(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


main()
