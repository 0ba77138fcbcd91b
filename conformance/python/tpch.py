"""TPC-H by DuckDB's own extension: the data, the 22 queries, and DuckDB's own answers to them.

    python tpch.py make FOLDER SCALE     tpch.duckdb, q01.sql and q01.arrow … q22.arrow, which hold the answers
    python tpch.py check FOLDER URI      asks a server by ADBC's Flight SQL driver: a line of JSON for each query
"""

import json
import pathlib
import sys
import traceback

import pyarrow as pa

QUERIES = range(1, 23)


def make(folder, scale):
    import duckdb
    import duckdb_extension_tpch

    folder.mkdir(parents=True, exist_ok=True)
    (extension,) = pathlib.Path(duckdb_extension_tpch.__file__).parent.rglob("tpch.duckdb_extension")
    with duckdb.connect(str(folder / "tpch.duckdb")) as conn:
        conn.execute(f"LOAD '{extension}'")
        conn.execute(f"CALL dbgen(sf = {scale})")
        for number, text in conn.execute("FROM tpch_queries() ORDER BY query_nr").fetchall():
            (folder / f"q{number:02}.sql").write_text(text)
            answer = conn.execute(text).to_arrow_table()
            with pa.ipc.new_file(folder / f"q{number:02}.arrow", answer.schema) as writer:
                writer.write_table(answer)
        print(conn.execute("SELECT count(*) FROM lineitem").fetchone()[0])


def check(folder, uri):
    import adbc_driver_flightsql.dbapi as flightsql

    with flightsql.connect(uri) as conn, conn.cursor() as cursor:
        for number in QUERIES:
            error = None
            try:
                with pa.ipc.open_file(folder / f"q{number:02}.arrow") as reader:
                    expected = reader.read_all()
                cursor.execute((folder / f"q{number:02}.sql").read_text())
                answer = cursor.fetch_arrow_table()
                types = [(field.name, field.type) for field in expected.schema]
                assert [(field.name, field.type) for field in answer.schema] == types, (answer.schema, types)
                assert answer.num_rows == expected.num_rows and expected.num_rows > 0, answer.num_rows
                for name in expected.column_names:
                    assert answer[name].to_pylist() == expected[name].to_pylist(), name
            except BaseException:  # noqa: BLE001
                error = traceback.format_exc(limit=-2)
            print(json.dumps({"query": number, "error": error}), flush=True)


command, folder, argument = sys.argv[1:]
{"make": make, "check": check}[command](pathlib.Path(folder), argument)
