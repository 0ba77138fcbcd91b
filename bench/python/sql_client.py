"""Reads a query to its end: sql_client.py LOCATION SQL. Prints `{"rows", "seconds", "cpu"}`."""
import sys

import pyarrow.flight as flight
from timing import finish, start

location, sql = sys.argv[1:3]
client = flight.connect(location)
start()
rows = 0
for chunk in client.do_get(flight.Ticket(sql.encode())):
    rows += chunk.data.num_rows
finish(rows)
