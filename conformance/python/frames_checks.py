"""pandas, polars and SQLAlchemy by ADBC's Flight SQL driver against a server over DuckDB.

    python frames_checks.py URI
"""

import datetime
import decimal

import adbc_driver_flightsql.dbapi as flightsql
import pandas as pd
import polars as pl
import pyarrow as pa
import sqlalchemy as sa
from checks import URI, check, main, rows

UTC = datetime.timezone.utc

# a column of each type that frames have, as DuckDB makes it, as Arrow has it, and its values
COLUMNS = [
    ("b", "BOOLEAN", pa.bool_(), [True, False, None]),
    ("i8", "TINYINT", pa.int8(), [-128, 127, None]),
    ("i16", "SMALLINT", pa.int16(), [-32768, 32767, None]),
    ("i32", "INTEGER", pa.int32(), [-(2**31), 2**31 - 1, None]),
    ("i64", "BIGINT", pa.int64(), [-(2**63), 2**63 - 1, None]),
    ("u8", "UTINYINT", pa.uint8(), [0, 255, None]),
    ("u16", "USMALLINT", pa.uint16(), [0, 65535, None]),
    ("u32", "UINTEGER", pa.uint32(), [0, 2**32 - 1, None]),
    ("u64", "UBIGINT", pa.uint64(), [0, 2**64 - 1, None]),
    ("f32", "FLOAT", pa.float32(), [1.5, -0.25, None]),
    ("f64", "DOUBLE", pa.float64(), [1e308, -0.1, None]),
    ("dec", "DECIMAL(18,3)", pa.decimal128(18, 3), [decimal.Decimal("123456789012345.678"), decimal.Decimal("-0.001"), None]),
    ("s", "VARCHAR", pa.string(), ["häł\U0001f600", "", None]),
    ("bin", "BLOB", pa.binary(), [b"\x00\xff", b"", None]),
    ("d", "DATE", pa.date32(), [datetime.date(2024, 2, 29), datetime.date(1, 1, 1), None]),
    ("t", "TIME", pa.time64("us"), [datetime.time(23, 59, 59, 999999), datetime.time(0), None]),
    ("ts", "TIMESTAMP", pa.timestamp("us"), [datetime.datetime(2024, 2, 29, 1, 2, 3, 4), datetime.datetime(1800, 1, 1), None]),
    (
        "tz",
        "TIMESTAMPTZ",
        pa.timestamp("us", "UTC"),
        [datetime.datetime(2024, 2, 29, 1, 2, 3, 4, UTC), datetime.datetime(1800, 1, 1, tzinfo=UTC), None],
    ),
    ("l", "INTEGER[]", pa.list_(pa.int32()), [[1, None], [], None]),
    ("st", "STRUCT(a INTEGER, b VARCHAR)", pa.struct([("a", pa.int32()), ("b", pa.string())]), [{"a": 1, "b": "x"}, {"a": None, "b": None}, None]),
]
TABLE = pa.table({name: pa.array(values, type) for name, _, type, values in COLUMNS})


def connect(**options):
    conn = flightsql.connect(URI, autocommit=True, **options)
    with conn.cursor() as cur:
        cur.execute("SET TimeZone = 'UTC'")
    return conn


def declared(cursor, table):
    return [(row[0], row[1]) for row in rows(cursor, f"DESCRIBE {table}")]


def setup(cursor, table):
    columns = ", ".join(f"{name} {type}" for name, type, _, _ in COLUMNS)
    cursor.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
    cursor.adbc_ingest(table, TABLE, mode="append")


@check
def enum_of_more_values_than_a_message_holds():
    """Comes in parts with dictionaries of their own, which all readers put together."""
    with connect() as conn, conn.cursor() as cur:
        word = "rpad('value ' || {}, 80, '.')"
        cur.execute(f"CREATE TYPE wide AS ENUM (SELECT {word.format('range')} FROM range(80000) ORDER BY range)")
        cur.execute(f"CREATE TABLE wide AS SELECT range AS n, {word.format('(range * 7919 % 80000)')}::wide AS v FROM range(100000)")
        query = "SELECT n, v FROM wide ORDER BY n"
        expected = [f"value {n * 7919 % 80000}".ljust(80, ".") for n in range(100000)]
        cur.execute(query)
        table = cur.fetch_arrow_table()
        assert pa.types.is_dictionary(table.schema.field("v").type), table.schema
        assert table.column("v").num_chunks > 1
        assert table.unify_dictionaries()["v"].to_pylist() == expected
        assert table.to_pandas()["v"].astype(str).tolist() == expected
        assert pd.read_sql(query, conn)["v"].astype(str).tolist() == expected
        assert pl.read_database(query, conn)["v"].cast(pl.String).to_list() == expected


@check
def pandas_reads_every_type():
    with connect() as conn, conn.cursor() as cur:
        setup(cur, "pandas_read")
        frame = pd.read_sql("SELECT * FROM pandas_read", conn, dtype_backend="pyarrow")
        assert list(frame.columns) == TABLE.column_names
        for name, _, type, values in COLUMNS:
            assert frame[name].dtype == pd.ArrowDtype(type), f"{name}: {frame[name].dtype}"
            assert pa.array(frame[name], type).to_pylist() == values, name
        assert pd.read_sql("pandas_read", conn, dtype_backend="pyarrow").equals(frame)
        cur.execute("DROP TABLE pandas_read")


@check
def pandas_writes_every_type():
    frame = TABLE.to_pandas(types_mapper=pd.ArrowDtype)
    with connect() as conn, conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS pandas_written")
        assert frame.to_sql("pandas_written", conn, index=False) == 3
        assert declared(cur, "pandas_written") == [
            (name, "TIMESTAMP WITH TIME ZONE" if type == "TIMESTAMPTZ" else type) for name, type, _, _ in COLUMNS
        ], declared(cur, "pandas_written")
        cur.execute("SELECT * FROM pandas_written")
        assert cur.fetch_arrow_table().to_pylist() == TABLE.to_pylist()
        assert frame.to_sql("pandas_written", conn, index=False, if_exists="append") == 3
        assert rows(cur, "SELECT count(*) FROM pandas_written") == [(6,)]
        assert frame.to_sql("pandas_written", conn, index=False, if_exists="replace") == 3
        assert rows(cur, "SELECT count(*) FROM pandas_written") == [(3,)]
        try:
            frame.to_sql("pandas_written", conn, index=False, if_exists="fail")
        except ValueError as error:
            assert "already exists" in str(error)
        else:
            raise AssertionError("it was not refused")
        cur.execute("DROP TABLE pandas_written")


@check
def pandas_writes_into_a_schema_with_an_index():
    frame = pd.DataFrame({"v": [1.5, 2.5]}, index=pd.Index(["a", "b"], name="key"))
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE SCHEMA IF NOT EXISTS frames")
        frame.to_sql("indexed", conn, schema="frames")
        back = pd.read_sql("SELECT * FROM frames.indexed ORDER BY key", conn, index_col="key")
        assert back.index.tolist() == ["a", "b"] and back["v"].tolist() == [1.5, 2.5], back
        cur.execute("DROP SCHEMA frames CASCADE")


@check
def polars_reads_every_type():
    with connect() as conn, conn.cursor() as cur:
        setup(cur, "polars_read")
        frame = pl.read_database("SELECT * FROM polars_read", conn)
        assert frame.schema == pl.from_arrow(TABLE).schema, frame.schema
        assert frame.rows() == pl.from_arrow(TABLE).rows()
        # each batch by itself, and a query with parameters
        parts = list(pl.read_database("FROM range(200000)", conn, iter_batches=True, batch_size=1000))
        assert sum(len(part) for part in parts) == 200000 and len(parts) > 1, len(parts)
        bound = pl.read_database("SELECT ?::INTEGER + 1 AS v", conn, execute_options={"parameters": (41,)})
        assert bound.rows() == [(42,)]
        cur.execute("DROP TABLE polars_read")


@check
def polars_writes_every_type():
    frame = pl.from_arrow(TABLE)
    with connect() as conn, conn.cursor() as cur:
        cur.execute("DROP TABLE IF EXISTS polars_written")
        assert frame.write_database("polars_written", conn, engine="adbc") == 3
        assert declared(cur, "polars_written") == [
            (name, "TIMESTAMP WITH TIME ZONE" if type == "TIMESTAMPTZ" else "TIME_NS" if type == "TIME" else type)
            for name, type, _, _ in COLUMNS
        ], declared(cur, "polars_written")
        assert pl.read_database("SELECT * FROM polars_written", conn).rows() == frame.rows()
        assert frame.write_database("polars_written", conn, engine="adbc", if_table_exists="append") == 3
        assert rows(cur, "SELECT count(*) FROM polars_written") == [(6,)]
        assert frame.write_database("polars_written", conn, engine="adbc", if_table_exists="replace") == 3
        assert rows(cur, "SELECT count(*) FROM polars_written") == [(3,)]
        cur.execute("DROP TABLE polars_written")


@check
def polars_writes_categories():
    words = [None, "short", "a text of more than twelve bytes", "", "h\u00e4\u0142" * 9] + [f"word number {i} is long enough" for i in range(500)]
    values = [words[i % len(words)] for i in range(20000)]
    frame = pl.DataFrame({"c": pl.Series(values, dtype=pl.Categorical), "l": [[value] for value in values]}).with_columns(
        pl.col("l").cast(pl.List(pl.Categorical)), e=pl.Series(["x", "more than twelve bytes"] * 10000, dtype=pl.Enum(["x", "more than twelve bytes"]))
    )
    wanted = list(zip(values, [[value] for value in values], ["x", "more than twelve bytes"] * 10000))
    with connect() as conn, conn.cursor() as cur:
        for mode in ("replace", "append"):
            assert frame.write_database("categories", conn, engine="adbc", if_table_exists=mode) == 20000
        assert rows(cur, "SELECT c, l, e FROM categories ORDER BY rowid") == wanted + wanted
        cur.execute("DROP TABLE categories")


@check
def models_are_built_beside_and_put_in_place():
    # as dbt does: a table beside, two renamings in a transaction, and what fails leaves everything
    with flightsql.connect(URI) as conn, conn.cursor() as cur:
        cur.execute("CREATE SCHEMA models")
        cur.execute("CREATE TABLE models.m AS SELECT 1 AS i")
        conn.commit()
        cur.execute("CREATE TABLE models.m__new AS SELECT range AS i FROM range(6)")
        cur.execute("ALTER TABLE models.m RENAME TO m__old")
        cur.execute("ALTER TABLE models.m__new RENAME TO m")
        conn.commit()
        cur.execute("DROP TABLE models.m__old CASCADE")
        conn.commit()
        cur.execute("DELETE FROM models.m")
        cur.execute("CREATE TABLE models.half AS SELECT 1 AS i")
        try:
            cur.execute("SELECT error('no such model')")
            cur.fetchall()
            raise AssertionError("the error is not told")
        except flightsql.Error as error:
            assert "no such model" in str(error), error
        conn.rollback()
        assert rows(cur, "SELECT count(*) FROM models.m") == [(6,)]
        assert rows(cur, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'") == [(0,)]
        cur.execute("DROP SCHEMA models CASCADE")
        conn.commit()


def engine():
    return sa.create_engine(URI.replace("grpc://", "adbc+flightsql://") + "/?tls=false")


@check
def sqlalchemy_creates_inserts_selects_and_rolls_back():
    metadata = sa.MetaData()
    table = sa.Table(
        "alchemy",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("s", sa.String),
        sa.Column("d", sa.Numeric(9, 2)),
        sa.Column("moment", sa.DateTime),
    )
    given = [
        {"id": 1, "s": "a", "d": decimal.Decimal("1.25"), "moment": datetime.datetime(2024, 2, 29, 1, 2, 3)},
        {"id": 2, "s": None, "d": None, "moment": None},
    ]
    with engine().connect() as conn:
        metadata.create_all(conn)
        conn.commit()
        conn.execute(table.insert(), given)
        conn.rollback()
        assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0
        conn.rollback()
        assert conn.execute(table.insert(), given).rowcount == 2
        conn.commit()
        assert [row._asdict() for row in conn.execute(sa.select(table).order_by(table.c.id))] == given
        assert conn.execute(table.update().where(table.c.id == 2).values(s="b")).rowcount == 1
        assert conn.execute(sa.select(table.c.s).where(table.c.id == sa.bindparam("key")), {"key": 2}).all() == [("b",)]
        conn.commit()
    inspector = sa.inspect(engine())
    assert inspector.has_table("alchemy") and "main" in inspector.get_schema_names()
    reflected = sa.Table("alchemy", sa.MetaData(), autoload_with=engine())
    assert [(column.name, type(column.type)) for column in reflected.columns] == [
        ("id", sa.Integer),
        ("s", sa.String),
        ("d", sa.Numeric),
        ("moment", sa.DateTime),
    ]
    metadata.drop_all(engine())
    assert not sa.inspect(engine()).has_table("alchemy")


main()
