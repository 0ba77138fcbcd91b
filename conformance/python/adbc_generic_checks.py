"""ADBC's Flight SQL driver against a server over any engine: what needs no dialect of SQL.

    python adbc_generic_checks.py URI
"""

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa
from checks import URI, check, count, main, refused, rows


def connect(autocommit=True):
    return flightsql.connect(URI, autocommit=autocommit)


@check
def select_and_schema():
    with connect() as conn, conn.cursor() as cur:
        assert rows(cur, "SELECT 42 AS answer, 'text' AS t") == [(42, "text")]
        schema = cur.adbc_execute_schema("SELECT 42 AS answer")
        cur.execute("SELECT 42 AS answer")
        assert cur.fetch_arrow_table().schema.equals(schema, check_metadata=True)


@check
def ddl_and_dml_run_once():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE g_once (i INTEGER)")
        cur.execute("INSERT INTO g_once VALUES (1), (2)")
        assert count(cur, "g_once") == 2
        cur.execute("UPDATE g_once SET i = i + 1")
        assert rows(cur, "SELECT sum(i) FROM g_once") == [(5,)]
        cur.execute("DROP TABLE g_once")


@check
def binds_and_executemany():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE g_many (i INTEGER, s TEXT)")
        cur.executemany("INSERT INTO g_many VALUES (?, ?)", [(i, f"row {i}") for i in range(25)])
        assert count(cur, "g_many") == 25
        assert rows(cur, "SELECT s FROM g_many WHERE i = ?", (24,)) == [("row 24",)]
        cur.execute("DROP TABLE g_many")


@check
def ingest_in_each_mode():
    table = pa.table({"i": [1, 2, 3], "s": ["a", None, "c"]})
    with connect() as conn, conn.cursor() as cur:
        assert cur.adbc_ingest("g_taken", table, mode="create") == 3
        refused(lambda: cur.adbc_ingest("g_taken", table, mode="create"), "xists")
        assert cur.adbc_ingest("g_taken", table, mode="append") == 3
        assert cur.adbc_ingest("g_taken", table, mode="replace") == 3
        assert cur.adbc_ingest("g_taken", table, mode="create_append") == 3
        assert count(cur, "g_taken") == 6
        refused(lambda: cur.adbc_ingest("g_missing", table, mode="append"), "g_missing")
        cur.execute("DROP TABLE g_taken")


@check
def transactions():
    with connect() as setup, setup.cursor() as cur:
        cur.execute("CREATE TABLE g_txn (i INTEGER)")
    with connect(autocommit=False) as conn, conn.cursor() as cur:
        cur.execute("INSERT INTO g_txn VALUES (1)")
        assert count(cur, "g_txn") == 1
        conn.rollback()
        assert count(cur, "g_txn") == 0
        conn.rollback()
        cur.execute("INSERT INTO g_txn VALUES (2)")
        cur.adbc_ingest("g_txn", pa.table({"i": [3]}), mode="append")
        conn.commit()
        assert count(cur, "g_txn") == 2
        conn.rollback()
    with connect() as setup, setup.cursor() as cur:
        cur.execute("DROP TABLE g_txn")


@check
def get_objects_at_each_depth():
    with connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE g_seen (id INTEGER PRIMARY KEY, s TEXT)")
        for depth in ("catalogs", "db_schemas", "tables", "all"):
            assert conn.adbc_get_objects(depth=depth).read_all().num_rows > 0, depth
        found = conn.adbc_get_objects(depth="all", table_name_filter="g_seen").read_all().to_pylist()
        (table,) = [t for c in found for s in c["catalog_db_schemas"] or [] for t in s["db_schema_tables"] or []]
        assert [c["column_name"] for c in table["table_columns"]] == ["id", "s"], table
        assert conn.adbc_get_table_schema("g_seen").names == ["id", "s"]
        assert {"BASE TABLE", "VIEW"} <= set(conn.adbc_get_table_types())
        assert conn.adbc_get_info()["vendor_name"]
        cur.execute("DROP TABLE g_seen")


@check
def errors_carry_the_text_of_the_engine():
    with connect() as conn, conn.cursor() as cur:
        refused(lambda: cur.execute("SELEC 1"), "syntax error")
        refused(lambda: cur.execute("SELECT * FROM nowhere"), "nowhere")
        assert rows(cur, "SELECT 1") == [(1,)]


main()
