"""What programs of checks have in common: their list, and a line of JSON for each, {"check": name, "error": text or null}.

    python PROGRAM URI [NAME]     runs the checks whose name holds NAME
    python PROGRAM none --list    names them
"""

import json
import sys
import traceback

URI = sys.argv[1]
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def rows(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchall()


def count(cursor, table):
    return rows(cursor, f"SELECT count(*) FROM {table}")[0][0]


def refused(function, *patterns):
    try:
        function()
    except Exception as error:  # noqa: BLE001
        text = str(error)
        assert any(pattern in text for pattern in patterns), text
        return error
    raise AssertionError("it was not refused")


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    if wanted == "--list":
        print(json.dumps([function.__name__ for function in CHECKS]))
        return
    for function in CHECKS:
        if wanted not in function.__name__:
            continue
        error = None
        try:
            function()
        except BaseException:  # noqa: BLE001
            error = traceback.format_exc(limit=-3)
        print(json.dumps({"check": function.__name__, "error": error}), flush=True)
