"""A Flight server of pyarrow that our client is checked against.

    python server.py [--location URI] [--cert FILE --key FILE] [--client-ca FILE] [--auth handler|basic]

Prints one line `{"port": N}` when it accepts calls; ends with SIGTERM.
"""

import argparse
import base64
import datetime
import decimal
import json
import signal
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

USER, PASSWORD, TOKEN = "arrow", "flight", b"token-of-arrow"


def types_table():
    """One column of every type that apache-arrow for JavaScript can hold, with nulls, over two batches."""
    utc = datetime.timezone.utc
    moment = datetime.datetime(2026, 3, 4, 5, 6, 7, 891011)
    dictionary = pa.array(["x", None, "y", "x"]).dictionary_encode()
    columns = {
        "null": pa.nulls(4),
        "bool": pa.array([True, None, False, True]),
        **{
            str(t): pa.array([0, None, 1, np.iinfo(t.to_pandas_dtype()).max], t)
            for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
        },
        "float16": pa.array(np.array([0, 1.5, -2, 3], np.float16)),
        "float32": pa.array([0.5, None, -1.25, 3e38], pa.float32()),
        "float64": pa.array([0.5, None, -1.25, 1e300], pa.float64()),
        "decimal128": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-4.56"), decimal.Decimal(0)], pa.decimal128(20, 2)),
        "decimal256": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-4.56"), decimal.Decimal(0)], pa.decimal256(50, 2)),
        "utf8": pa.array(["a", None, "", "déjà vu 😀"]),
        "large_utf8": pa.array(["a", None, "", "déjà vu 😀"], pa.large_utf8()),
        "binary": pa.array([b"a", None, b"", b"\0\xff"]),
        "large_binary": pa.array([b"a", None, b"", b"\0\xff"], pa.large_binary()),
        "fixed": pa.array([b"abc", None, b"def", b"ghi"], pa.binary(3)),
        "date32": pa.array([0, None, 20000, -1], pa.date32()),
        "date64": pa.array([0, None, 86400000 * 20000, -86400000], pa.date64()),
        "time32s": pa.array([0, None, 1, 86399], pa.time32("s")),
        "time32ms": pa.array([0, None, 1, 86399999], pa.time32("ms")),
        "time64us": pa.array([0, None, 1, 86399999999], pa.time64("us")),
        "time64ns": pa.array([0, None, 1, 86399999999999], pa.time64("ns")),
        "timestamp_s": pa.array([moment.replace(microsecond=0), None, moment.replace(microsecond=0), None], pa.timestamp("s")),
        "timestamp_ms_utc": pa.array([0, None, 1, -1], pa.timestamp("ms", "UTC")),
        "timestamp_us_zone": pa.array([moment.replace(tzinfo=utc), None, None, None], pa.timestamp("us", "Europe/Vienna")),
        "timestamp_ns": pa.array([0, None, 2**62, -(2**62)], pa.timestamp("ns")),
        "duration_s": pa.array([0, None, 1, -1], pa.duration("s")),
        "duration_ns": pa.array([0, None, 2**62, -1], pa.duration("ns")),
        "month_day_nano": pa.array([(1, 2, 3), None, (0, 0, 0), (-1, -2, -3)], pa.month_day_nano_interval()),
        "list": pa.array([[1, None], None, [], [3]], pa.list_(pa.int32())),
        "large_list": pa.array([[1, None], None, [], [3]], pa.large_list(pa.int32())),
        "fixed_list": pa.array([[1, 2], None, [3, None], [5, 6]], pa.list_(pa.int16(), 2)),
        "map": pa.array([[("a", 1)], None, [], [("b", None), ("c", 3)]], pa.map_(pa.utf8(), pa.int32())),
        "struct": pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 4, "b": None}]),
        "dense_union": pa.UnionArray.from_dense(
            pa.array([0, 1, 0, 1], pa.int8()), pa.array([0, 0, 1, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a", "b"])]
        ),
        "sparse_union": pa.UnionArray.from_sparse(
            pa.array([0, 1, 0, 1], pa.int8()), [pa.array([1, 2, 3, 4]), pa.array(["a", "b", "c", "d"])]
        ),
        "dictionary": dictionary,
        "utf8_view": pa.array(["a", None, "a text that is longer than twelve bytes", ""], pa.string_view()),
        "binary_view": pa.array([b"a", None, b"bytes that are more than twelve", b""], pa.binary_view()),
    }
    schema = pa.schema(
        [pa.field(name, column.type, metadata={"of": name} if name == "utf8" else None) for name, column in columns.items()],
        metadata={"made by": "pyarrow"},
    )
    batch = pa.record_batch(list(columns.values()), schema=schema)
    return pa.Table.from_batches([batch, batch.slice(1, 2), batch.slice(0, 0)])


def numbers(*values):
    return pa.table({"n": pa.array(values, pa.int32())})


ERRORS = {
    "internal": lambda: flight.FlightInternalError("an internal error", b"extra \0\xff"),
    "timed_out": lambda: flight.FlightTimedOutError("too late", b"extra"),
    "cancelled": lambda: flight.FlightCancelledError("given up", b"extra"),
    "unauthenticated": lambda: flight.FlightUnauthenticatedError("who are you", b"extra"),
    "unauthorized": lambda: flight.FlightUnauthorizedError("not you", b"extra"),
    "unavailable": lambda: flight.FlightUnavailableError("not now", b"extra"),
    "server": lambda: flight.FlightServerError("server's fault", b"extra"),
    "key": lambda: KeyError("no such key"),
    "invalid": lambda: pa.ArrowInvalid("invalid argument"),
    "not_implemented": lambda: NotImplementedError("not there"),
    "value": lambda: ValueError("a value with umlauts: äöü %"),
}


class Recorder(flight.ServerMiddleware):
    def __init__(self, headers):
        self.headers = headers

    def sending_headers(self):
        return {"x-from-server": ["one", "two"], "x-bytes-bin": b"\0\xff", "set-cookie": ["a=1", "b=2; Max-Age=0"]}


class RecorderFactory(flight.ServerMiddlewareFactory):
    def start_call(self, info, headers):
        if "refuse" in headers:
            raise flight.FlightUnauthorizedError("refused by middleware")
        return Recorder(headers)


class BasicMiddleware(flight.ServerMiddleware):
    def __init__(self, token):
        self.token = token

    def sending_headers(self):
        return {"authorization": "Bearer " + self.token}


class BasicFactory(flight.ServerMiddlewareFactory):
    def start_call(self, info, headers):
        for value in headers.get("authorization", []):
            if value == "Bearer " + TOKEN.decode():
                return BasicMiddleware(TOKEN.decode())
            if value.startswith("Basic "):
                name, password = base64.b64decode(value[6:]).decode().split(":", 1)
                if (name, password) == (USER, PASSWORD):
                    return BasicMiddleware(TOKEN.decode())
        raise flight.FlightUnauthenticatedError("no valid credentials")


class AcceptAll(flight.ServerAuthHandler):
    """Lets Handshake through; the middleware decides."""

    def authenticate(self, outgoing, incoming):
        pass

    def is_valid(self, token):
        return ""


class HandshakeHandler(flight.ServerAuthHandler):
    def authenticate(self, outgoing, incoming):
        auth = flight.BasicAuth.deserialize(incoming.read())
        if (auth.username, auth.password) != (USER.encode(), PASSWORD.encode()):
            raise flight.FlightUnauthenticatedError("wrong name or password")
        outgoing.write(TOKEN)

    def is_valid(self, token):
        if token != TOKEN:
            raise flight.FlightUnauthenticatedError("invalid token")
        return USER


class Server(flight.FlightServerBase):
    def __init__(self, location, **options):
        super().__init__(location, **options)
        self.tables = {}
        self.cancelled = threading.Event()
        self.began = threading.Event()
        self.attempts = 0

    def wait_until_cancelled(self, context):
        self.cancelled.clear()
        self.began.set()
        while not context.is_cancelled():
            time.sleep(0.01)
        self.cancelled.set()
        raise flight.FlightCancelledError("nobody listens")

    def info(self, name, table):
        endpoints = [
            flight.FlightEndpoint(name, []),
            flight.FlightEndpoint(
                name, ["grpc://127.0.0.1:1", f"grpc+tcp://127.0.0.1:{self.port}"], pa.scalar("2099-01-02T03:04:05").cast(pa.timestamp("ns")), b"of the endpoint"
            ),
            flight.FlightEndpoint(name, ["arrow-flight-reuse-connection://?"]),
        ]
        descriptor = flight.FlightDescriptor.for_path(name)
        return flight.FlightInfo(table.schema, descriptor, endpoints, table.num_rows * 3, table.nbytes * 3, True, b"of the info")

    def list_flights(self, context, criteria):
        if criteria == b"silent":
            self.wait_until_cancelled(context)
        if criteria.startswith(b"error:"):
            raise ERRORS[criteria[6:].decode()]()
        for name in ["one", "two", "three"]:
            if criteria.decode() in name:
                yield self.info(name, numbers(1, 2, 3))

    def get_flight_info(self, context, descriptor):
        if descriptor.descriptor_type == flight.DescriptorType.CMD:
            command = descriptor.command.decode()
            if command.startswith("error:"):
                raise ERRORS[command[6:]]()
            if command == "silent":
                self.wait_until_cancelled(context)
            if command == "flaky":
                self.attempts += 1
                if self.attempts % 3 != 0:
                    raise flight.FlightUnavailableError("try again")
            return flight.FlightInfo(pa.schema([]), descriptor, [], -1, -1)
        name = descriptor.path[0].decode()
        return self.info(name, numbers(1, 2, 3))

    def get_schema(self, context, descriptor):
        if descriptor.path == [b"silent"]:
            self.wait_until_cancelled(context)
        if descriptor.path and descriptor.path[0].startswith(b"error:"):
            raise ERRORS[descriptor.path[0][6:].decode()]()
        return flight.SchemaResult(types_table().schema)

    def do_get(self, context, ticket):
        name = ticket.ticket.decode()
        kind, _, argument = name.partition(":")
        if kind == "error":
            raise ERRORS[argument]()
        if kind == "types":
            return flight.RecordBatchStream(types_table())
        if kind == "stored":
            return flight.RecordBatchStream(self.tables[argument])
        if kind == "compressed":
            values = pa.array(np.arange(100_000) % 7)
            table = pa.table({"n": values, "text": pa.array(["text"] * 100_000)})
            return flight.RecordBatchStream(table, options=pa.ipc.IpcWriteOptions(compression=argument))
        if kind == "metadata":
            schema = pa.schema([("n", pa.int32())])

            def batches():
                for i in range(5):
                    batch = numbers(i).to_batches()[0]
                    yield (batch, str(i).encode()) if i % 2 == 0 else batch

            return flight.GeneratorStream(schema, batches())
        if kind == "midway":
            schema = pa.schema([("n", pa.int32())])

            def failing():
                yield numbers(1).to_batches()[0]
                yield numbers(2).to_batches()[0]
                raise flight.FlightInternalError("broke midway", b"extra")

            return flight.GeneratorStream(schema, failing())
        if kind == "endless":
            self.cancelled.clear()
            schema = pa.schema([("n", pa.int32())])

            def endless():
                batch = numbers(*range(1000)).to_batches()[0]
                try:
                    while True:
                        yield batch
                finally:
                    self.cancelled.set()

            return flight.GeneratorStream(schema, endless())
        if kind == "silent":
            self.wait_until_cancelled(context)
        if kind == "counted":
            batch = pa.record_batch({"n": pa.array(np.arange(int(argument), dtype=np.int64))})
            return flight.RecordBatchStream(pa.Table.from_batches([batch]))
        if kind == "deltas":
            # one dictionary that is replaced, batch by batch
            batches = [pa.record_batch({"d": pa.array(values).dictionary_encode()}) for values in (["a", "b"], ["c"], ["b", "d"])]
            # not a GeneratorStream: those of pyarrow send no dictionaries
            return flight.RecordBatchStream(pa.RecordBatchReader.from_batches(batches[0].schema, batches))
        if kind == "large":
            megabytes = int(argument)
            batch = pa.record_batch({"n": pa.array(np.zeros(megabytes * 131_072, np.int64))})
            return flight.RecordBatchStream(pa.Table.from_batches([batch]))
        return flight.RecordBatchStream(numbers(1, 2, 3))

    def do_put(self, context, descriptor, reader, writer):
        name = descriptor.path[0].decode() if descriptor.path else descriptor.command.decode()
        if name.startswith("error:"):
            raise ERRORS[name[6:]]()
        if name == "error after one":
            reader.read_chunk()
            raise flight.FlightInternalError("enough", b"extra")
        if name == "ignored":
            return
        if name == "silent":
            self.wait_until_cancelled(context)
        if name == "cancelled midway":
            self.cancelled.clear()
            reader.read_chunk()
            writer.write(b"one")
            try:
                while True:
                    reader.read_chunk()
            except (StopIteration, pa.ArrowException):
                self.cancelled.set()
                raise
        if name == "stats":
            reader.read_all()
            writer.write(json.dumps(reader.stats).encode())
            return
        if name == "counted":
            at = 0
            for chunk in reader:
                values = chunk.data.column(0).to_numpy()
                if not np.array_equal(values, np.arange(at, at + len(values), dtype=np.int64)):
                    raise flight.FlightInternalError(f"other values from row {at}")
                at += len(values)
                writer.write(str(len(values)).encode())
            return
        batches = []
        while True:
            try:
                chunk = reader.read_chunk()
            except StopIteration:
                break
            if chunk.data is not None:
                batches.append(chunk.data)
            metadata = b"-" if chunk.app_metadata is None else chunk.app_metadata.to_pybytes()
            rows = -1 if chunk.data is None else chunk.data.num_rows
            writer.write(f"{rows} ".encode() + metadata)
        self.tables[name] = pa.Table.from_batches(batches, schema=reader.schema)
        writer.write(b"stored")

    def do_exchange(self, context, descriptor, reader, writer):
        command = descriptor.command.decode()
        if command.startswith("error:"):
            raise ERRORS[command[6:]]()
        if command == "get":
            table = numbers(1, 2, 3)
            writer.begin(table.schema)
            writer.write_table(table)
            return
        if command == "silent":
            self.wait_until_cancelled(context)
        if command == "metadata only":
            writer.write_metadata(b"hello")
            writer.write_metadata(b"world")
            return
        started = False
        for chunk in reader:
            if not started and chunk.data is not None:
                writer.begin(chunk.data.schema)
                started = True
            if chunk.data is None:
                writer.write_metadata(chunk.app_metadata)
            elif chunk.app_metadata is None:
                writer.write_batch(chunk.data)
            else:
                writer.write_with_metadata(chunk.data, chunk.app_metadata)

    def list_actions(self, context):
        return [("echo", "gives the body back"), flight.ActionType("many", "")]

    def do_action(self, context, action):
        body = action.body.to_pybytes()
        if action.type == "echo":
            yield body
        elif action.type == "many":
            for i in range(int(body)):
                yield str(i).encode()
        elif action.type == "nothing":
            return
        elif action.type == "error":
            raise ERRORS[body.decode()]()
        elif action.type == "error after two":
            yield b"1"
            yield b"2"
            raise flight.FlightServerError("no more", b"extra")
        elif action.type == "headers":
            recorder = context.get_middleware("recorder")
            headers = {
                name: [value.hex() if isinstance(value, bytes) else value for value in values]
                for name, values in recorder.headers.items()
            }
            yield json.dumps(headers).encode()
        elif action.type == "trailers":
            context.add_header("x-added", "header")
            context.add_trailer("x-added-trailer", "trailer")
            yield b"ok"
        elif action.type == "identity":
            yield context.peer_identity()
        elif action.type == "peer":
            yield context.peer().encode()
        elif action.type == "silent":
            self.wait_until_cancelled(context)
        elif action.type == "sleep":
            time.sleep(float(body))
            yield b"awake"
        elif action.type == "has begun":
            # waits as long as it is told
            has_begun = self.began.wait(float(body or "10"))
            self.began.clear()
            yield b"yes" if has_begun else b"no"
        elif action.type == "was cancelled":
            was_cancelled = self.cancelled.wait(120)
            self.cancelled.clear()
            yield b"yes" if was_cancelled else b"no"
        elif action.type == "stats":
            with flight.connect(f"grpc://127.0.0.1:{self.port}") as own:
                reader = own.do_get(flight.Ticket(body))
                reader.read_all()
                yield json.dumps(reader.stats).encode()
        elif action.type == "same as types":
            stored = self.tables[body.decode()]
            expected = types_table()
            stored.validate(full=True)
            differences = [
                name
                for name in expected.column_names
                if stored.schema.field(name) != expected.schema.field(name) or not stored.column(name).equals(expected.column(name))
            ]
            if stored.schema.metadata != expected.schema.metadata:
                differences.append("metadata of the schema")
            yield json.dumps(differences).encode()
        elif action.type == "describe":
            table = self.tables[body.decode()]
            yield json.dumps({"rows": table.num_rows, "batches": [len(c) for c in table.to_batches()], "schema": str(table.schema)}).encode()
        else:
            raise NotImplementedError(action.type)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--location", default="grpc://127.0.0.1:0")
    parser.add_argument("--cert", action="append", default=[])
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--client-ca")
    parser.add_argument("--auth", choices=["handler", "basic"])
    arguments = parser.parse_args()
    options = {"middleware": {"recorder": RecorderFactory()}}
    if arguments.cert:
        options["tls_certificates"] = [(read(cert), read(key)) for cert, key in zip(arguments.cert, arguments.key)]
    if arguments.client_ca:
        options.update(verify_client=True, root_certificates=read(arguments.client_ca))
    if arguments.auth == "handler":
        options["auth_handler"] = HandshakeHandler()
    elif arguments.auth == "basic":
        options["auth_handler"] = AcceptAll()
        options["middleware"]["basic"] = BasicFactory()
    server = Server(arguments.location, **options)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"port": server.port}), flush=True)
    server.serve()


if __name__ == "__main__":
    sys.exit(main())
