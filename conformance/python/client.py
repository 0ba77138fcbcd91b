"""Checks of a Flight server with pyarrow.flight, Arrow's C++ client.

Run as `client.py GROUP`, with a JSON object of connection facts on standard input. Each check of the group is a
function below; its outcome is one JSON line on standard output: {"check": name, "error": null or a traceback}.
"""

import json
import sys
import threading
import time
import traceback

import numpy as np
import pyarrow as pa
import pyarrow.flight as flight

GROUPS = {}


def check(group):
    """Adds a function to a group, in order of appearance."""

    def add(function):
        GROUPS.setdefault(group, []).append(function)
        return function

    return add


def expect_raises(kind, function, contains=""):
    """The exception of `kind` that `function` raises; fails when it raises none, or another."""
    try:
        function()
    except kind as error:
        assert contains in str(error), f"{contains!r} is not in {error}"
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def simple_table(rows=10, start=0):
    return pa.table(
        {
            "id": pa.array(range(start, start + rows), pa.int64()),
            "name": pa.array([None if i % 3 == 0 else f"name {i}" for i in range(rows)]),
            "value": pa.array(np.arange(rows) * 1.5),
        }
    )


def put(client, descriptor, table, max_chunksize=None, options=None):
    writer, reader = client.do_put(descriptor, table.schema, options=options)
    writer.write_table(table, max_chunksize)
    writer.close()


def action(client, type_, body=b"", options=None):
    return [result.body.to_pybytes() for result in client.do_action(flight.Action(type_, body), options)]


# ---------------------------------------------------------------- basic: one client for all


@check("basic")
def put_then_get(client, facts):
    table = simple_table()
    put(client, flight.FlightDescriptor.for_path("basic", "put"), table)
    info = client.get_flight_info(flight.FlightDescriptor.for_path("basic", "put"))
    assert info.total_records == 10, info.total_records
    assert info.schema.equals(table.schema, check_metadata=True)
    assert len(info.endpoints) == 1
    received = client.do_get(info.endpoints[0].ticket).read_all()
    assert received.equals(table, check_metadata=True)
    received.validate(full=True)


@check("basic")
def put_replaces(client, facts):
    descriptor = flight.FlightDescriptor.for_path("basic", "replaced")
    put(client, descriptor, simple_table(5))
    put(client, descriptor, simple_table(7, 100))
    received = client.do_get(flight.Ticket(b"basic/replaced")).read_all()
    assert received.equals(simple_table(7, 100))


@check("basic")
def list_all_flights(client, facts):
    put(client, flight.FlightDescriptor.for_path("listed", "one"), simple_table(1))
    put(client, flight.FlightDescriptor.for_path("listed", "two"), simple_table(2))
    infos = {b"/".join(info.descriptor.path): info for info in client.list_flights()}
    assert infos[b"listed/one"].total_records == 1
    assert infos[b"listed/two"].total_records == 2
    assert infos[b"listed/two"].descriptor.descriptor_type == flight.DescriptorType.PATH


@check("basic")
def list_with_criteria(client, facts):
    put(client, flight.FlightDescriptor.for_path("criteria", "x"), simple_table(1))
    paths = [info.descriptor.path for info in client.list_flights(b"criteria")]
    assert paths == [[b"criteria", b"x"]], paths


@check("basic")
def get_schema(client, facts):
    schema = pa.schema([pa.field("x", pa.int32(), metadata={"unit": "m"})], metadata={"origin": "here"})
    put(client, flight.FlightDescriptor.for_path("schema"), pa.table({"x": pa.array([1], pa.int32())}, schema))
    result = client.get_schema(flight.FlightDescriptor.for_path("schema"))
    assert result.schema.equals(schema, check_metadata=True), result.schema


@check("basic")
def info_carries_everything(client, facts):
    info = client.get_flight_info(flight.FlightDescriptor.for_command(b"everything"))
    assert info.descriptor.command == b"everything"
    assert info.ordered is True
    assert info.app_metadata == b"info metadata"
    assert info.total_records == -1 and info.total_bytes == 1 << 40
    first, second = info.endpoints
    assert first.ticket.ticket == b"\x00\xff ticket"
    assert [location.uri for location in first.locations] == [b"grpc+tcp://a.example:1", b"grpc+tls://b.example:2"]
    assert first.app_metadata == b"endpoint metadata"
    assert first.expiration_time.value == 1_700_000_000_123_456_000, first.expiration_time.value
    assert second.expiration_time is None and second.locations == []


@check("basic")
def empty_table(client, facts):
    table = simple_table(0)
    put(client, flight.FlightDescriptor.for_path("empty"), table)
    received = client.do_get(flight.Ticket(b"empty")).read_all()
    assert received.equals(table) and received.schema.equals(table.schema)


@check("basic")
def table_without_columns(client, facts):
    table = pa.table({})
    put(client, flight.FlightDescriptor.for_path("no columns"), table)
    assert client.do_get(flight.Ticket(b"no columns")).read_all().num_columns == 0


@check("basic")
def many_small_batches(client, facts):
    table = simple_table(5000)
    put(client, flight.FlightDescriptor.for_path("many"), table, max_chunksize=7)
    reader = client.do_get(flight.Ticket(b"many"))
    chunks = [chunk.data.num_rows for chunk in reader]
    assert sum(chunks) == 5000 and len(chunks) == 715, len(chunks)
    assert client.do_get(flight.Ticket(b"many")).read_all().equals(table)


@check("basic")
def sliced_batches(client, facts):
    table = simple_table(1000).slice(13, 500)
    put(client, flight.FlightDescriptor.for_path("sliced"), table)
    assert client.do_get(flight.Ticket(b"sliced")).read_all().equals(table)


@check("basic")
def get_with_app_metadata(client, facts):
    reader = client.do_get(flight.Ticket(b"numbered"))
    seen = []
    for chunk in reader:
        seen.append((chunk.data.num_rows if chunk.data else None, chunk.app_metadata and chunk.app_metadata.to_pybytes()))
    assert seen == [(1, b"0"), (1, None), (None, b"alone"), (1, b"2")], seen


@check("basic")
def stream_from_each_kind_of_source(client, facts):
    for source in ["table", "batch", "batches", "generator", "async-generator", "record-batch-stream", "generator-stream", "raw"]:
        received = client.do_get(flight.Ticket(b"source:" + source.encode())).read_all()
        assert received.column("x").to_pylist() == [1, 2, 3], (source, received)


@check("basic")
def put_with_metadata_answered(client, facts):
    table = simple_table(30)
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("answered"), table.schema)
    for index, batch in enumerate(table.to_batches(max_chunksize=10)):
        writer.write_with_metadata(batch, str(index).encode())
        answer = reader.read()
        assert answer.to_pybytes() == b"ack " + str(index).encode(), answer
    writer.done_writing()
    assert reader.read() is None
    writer.close()
    assert client.do_get(flight.Ticket(b"answered")).read_all().equals(table)


@check("basic")
def put_metadata_alone(client, facts):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("metadata alone"), pa.schema([("x", pa.int32())]))
    writer.write_metadata(b"hello")
    assert reader.read().to_pybytes() == b"ack hello"
    writer.close()


@check("basic")
def put_refused(client, facts):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("refused"), simple_table().schema)

    def write():
        for batch in simple_table(100).to_batches(max_chunksize=1):
            writer.write_batch(batch)
        writer.close()

    expect_raises(pa.ArrowInvalid, write, "not this one")


@check("basic")
def put_handler_that_does_not_read(client, facts):
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("unread"), simple_table().schema)
    writer.close()
    assert action(client, "ping") == [b"pong"]


@check("basic")
def put_that_nobody_reads(client, facts):
    """The server ends the call while the client is sending: the client hears of it and nothing hangs."""
    table = pa.table({"x": np.arange(128 * 1024)})
    writer, _ = client.do_put(flight.FlightDescriptor.for_path("unread"), table.schema)
    try:
        for _ in range(200):
            writer.write_table(table)
        writer.close()
    except pa.ArrowException:
        pass
    assert action(client, "ping") == [b"pong"]


@check("basic")
def exchange_echo(client, facts):
    table = simple_table(40)
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"echo"))
    with writer:
        writer.begin(table.schema)
        received = []
        for index, batch in enumerate(table.to_batches(max_chunksize=10)):
            if index % 2 == 0:
                writer.write_with_metadata(batch, str(index).encode())
            else:
                writer.write_batch(batch)
            chunk = reader.read_chunk()
            assert chunk.data.equals(batch)
            if index % 2 == 0:
                assert chunk.app_metadata.to_pybytes() == str(index).encode()
            else:
                assert chunk.app_metadata is None
        writer.done_writing()
        expect_raises(StopIteration, reader.read_chunk)


@check("basic")
def exchange_metadata_only(client, facts):
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"echo"))
    with writer:
        for index in range(3):
            writer.write_metadata(f"m{index}".encode())
            chunk = reader.read_chunk()
            assert chunk.data is None and chunk.app_metadata.to_pybytes() == f"m{index}".encode()
        writer.done_writing()


@check("basic")
def exchange_get_and_put(client, facts):
    """Only one direction carries data."""
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"get"))
    with writer:
        assert reader.read_all().column("x").to_pylist() == [1, 2, 3]
    table = simple_table(25)
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"count"))
    with writer:
        writer.begin(table.schema)
        writer.write_table(table, 10)
        writer.done_writing()
        assert reader.read_chunk().app_metadata.to_pybytes() == b"25 rows"


@check("basic")
def exchange_error(client, facts):
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"fail"))
    with_error = expect_raises(flight.FlightInternalError, reader.read_chunk, "exchange failed")
    assert with_error.extra_info == b"exchange info"
    try:
        writer.close()
    except pa.ArrowException:
        pass


@check("basic")
def actions(client, facts):
    assert action(client, "echo", b"\x00body\xff") == [b"\x00body\xff"]
    assert action(client, "echo") == [b""]
    assert action(client, "nothing") == []
    assert action(client, "count", b"1000") == [str(i).encode() for i in range(1000)]
    body = bytes(range(256)) * 4096 * 8
    assert action(client, "echo", body) == [body]


@check("basic")
def lists_actions(client, facts):
    listed = {kind.type: kind.description for kind in client.list_actions()}
    assert listed["echo"] == "gives the body back", listed
    assert "CancelFlightInfo" in listed and "SetSessionOptions" in listed
    assert "RenewFlightEndpoint" in listed


@check("basic")
def cancels_flight_info(client, facts):
    info = client.get_flight_info(flight.FlightDescriptor.for_command(b"everything"))
    # CancelFlightInfoRequest { FlightInfo info = 1 }
    body = info.serialize()
    request = b"\x0a" + varint(len(body)) + body
    assert action(client, "CancelFlightInfo", request) == [b"\x08\x01"]


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


@check("basic")
def renews_endpoint(client, facts):
    endpoint = flight.FlightEndpoint(b"to renew", ["grpc://a.example:1"])
    body = endpoint.serialize()
    (result,) = action(client, "RenewFlightEndpoint", b"\x0a" + varint(len(body)) + body)
    renewed = flight.FlightEndpoint.deserialize(result)
    assert renewed.ticket.ticket == b"to renew" and renewed.expiration_time is not None


@check("basic")
def request_headers_arrive(client, facts):
    options = flight.FlightCallOptions(headers=[(b"x-one", b"1"), (b"x-two", b"a"), (b"x-two", b"b"), (b"x-three-bin", b"\x00\xff")])
    (result,) = action(client, "headers", options=options)
    headers = json.loads(result)
    assert headers["x-one"] == ["1"] and headers["x-two"] == ["a", "b"], headers
    assert headers["x-three-bin"] == ["00ff"], headers


@check("basic")
def large_metadata(client, facts):
    big = "x" * 6000
    (result,) = action(client, "headers", options=flight.FlightCallOptions(headers=[(b"x-big", big.encode())]))
    assert json.loads(result)["x-big"] == [big]
    blob = bytes(range(256)) * 4096 * 4
    writer, reader = client.do_put(flight.FlightDescriptor.for_path("large metadata"), pa.schema([("x", pa.int32())]))
    writer.write_metadata(blob)
    assert reader.read().to_pybytes() == b"ack " + blob
    writer.close()
    put(client, flight.FlightDescriptor.for_path("p" * 100_000), simple_table(1))
    assert client.get_flight_info(flight.FlightDescriptor.for_path("p" * 100_000)).total_records == 1


@check("basic")
def peer_and_method(client, facts):
    (result,) = action(client, "context")
    context = json.loads(result)
    assert context["method"] == "DoAction" and context["peerIdentity"] == "", context
    assert context["peer"].startswith(("ipv4:127.0.0.1:", "unix:")), context


@check("basic")
def call_timeout(client, facts):
    start = time.monotonic()
    expect_raises(flight.FlightTimedOutError, lambda: action(client, "sleep", options=flight.FlightCallOptions(timeout=0.2)))
    assert time.monotonic() - start < 60
    reader = client.do_get(flight.Ticket(b"endless"), flight.FlightCallOptions(timeout=0.3))

    def drain():
        for _ in reader:
            pass

    expect_raises(flight.FlightTimedOutError, drain)
    wait_for(lambda: action(client, "running", b"endless") == [b"0"])


def every_method(client, name, options=None):
    """Each method of the client as a function that asks for `name` and waits for the answer."""
    path = flight.FlightDescriptor.for_path(name)
    schema = simple_table().schema

    def do_put():
        writer, reader = client.do_put(path, schema, options=options)
        try:
            reader.read()
        finally:
            writer.close()

    def do_exchange():
        writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(name), options)
        writer.begin(schema)
        try:
            reader.read_chunk()
        finally:
            writer.close()

    return {
        "ListFlights": lambda: list(client.list_flights(name.encode(), options)),
        "GetFlightInfo": lambda: client.get_flight_info(path, options),
        "GetSchema": lambda: client.get_schema(path, options),
        "DoGet": lambda: client.do_get(flight.Ticket(name.encode()), options).read_all(),
        "DoPut": do_put,
        "DoExchange": do_exchange,
        "DoAction": lambda: action(client, name, options=options),
    }


@check("basic")
def timeout_of_each_method(client, facts):
    for method, call in every_method(client, "silent", flight.FlightCallOptions(timeout=0.2)).items():
        start = time.monotonic()
        # get_schema of pyarrow makes no FlightError of what C++ tells it
        if method == "GetSchema":
            expect_raises(OSError, call, "TimedOut")
        else:
            expect_raises(flight.FlightTimedOutError, call)
        assert time.monotonic() - start < 60, method
        wait_for(lambda: action(client, "running", b"silent") == [b"0"])


@check("basic")
def extra_info_of_each_method(client, facts):
    for method, call in every_method(client, "fails").items():
        if method == "GetSchema":
            expect_raises(OSError, call, "GetSchema failed")
            continue
        error = expect_raises(flight.FlightInternalError, call, f"{method} failed")
        assert error.extra_info == f"info of {method}".encode(), (method, error.extra_info)


@check("basic")
def cancelled_exchange_ends_in_the_server(client, facts):
    # a DoPut of pyarrow has no cancel(), and its destructor waits for the server
    writer, reader = client.do_exchange(flight.FlightDescriptor.for_command("silent"))
    writer.begin(simple_table().schema)
    wait_for(lambda: action(client, "running", b"silent") == [b"1"])
    reader.cancel()
    wait_for(lambda: action(client, "running", b"silent") == [b"0"])
    expect_raises(pa.ArrowException, writer.close)


@check("basic")
def deadline_arrives(client, facts):
    (result,) = action(client, "context", options=flight.FlightCallOptions(timeout=100))
    # gRPC's C core rounds up what it sends
    assert 30 < json.loads(result)["remainingMs"] / 1000 <= 110, result


def wait_for(condition):
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited for a minute in vain")


@check("basic")
def cancelled_get_stops_the_generator(client, facts):
    reader = client.do_get(flight.Ticket(b"endless"))
    assert reader.read_chunk().data.num_rows == 1
    wait_for(lambda: action(client, "running", b"endless") == [b"1"])
    reader.cancel()
    wait_for(lambda: action(client, "running", b"endless") == [b"0"])


@check("basic")
def abandoned_get_stops_the_generator(client, facts):
    reader = client.do_get(flight.Ticket(b"stuck"))
    assert reader.read_chunk().data.num_rows == 1
    wait_for(lambda: action(client, "running", b"stuck") == [b"1"])
    del reader
    wait_for(lambda: action(client, "running", b"stuck") == [b"0"])


@check("basic")
def closed_client_stops_the_generator(client, facts):
    other = connect(facts)
    reader = other.do_get(flight.Ticket(b"endless"))
    reader.read_chunk()
    reader.cancel()
    del reader
    other.close()
    wait_for(lambda: action(client, "running", b"endless") == [b"0"])


@check("basic")
def errors_have_their_class(client, facts):
    for code, kind in {
        "INTERNAL": flight.FlightInternalError,
        "TIMED_OUT": flight.FlightTimedOutError,
        "CANCELLED": flight.FlightCancelledError,
        "UNAUTHENTICATED": flight.FlightUnauthenticatedError,
        "UNAUTHORIZED": flight.FlightUnauthorizedError,
        "UNAVAILABLE": flight.FlightUnavailableError,
        "UNKNOWN": flight.FlightServerError,
        "NOT_FOUND": KeyError,
        "UNIMPLEMENTED": NotImplementedError,
        "INVALID_ARGUMENT": ValueError,
        "ALREADY_EXISTS": pa.ArrowException,
        "RESOURCE_EXHAUSTED": pa.ArrowException,
    }.items():
        expect_raises(kind, lambda: action(client, "fail", code.encode()), f"failed with {code}")
        # C++ makes a Flight error of whatever comes with extra info
        error = expect_raises(flight.FlightError, lambda: action(client, "fail-with-info", code.encode()), f"failed with {code}")
        assert error.extra_info == b"\x00info\xff", (code, error.extra_info)


@check("basic")
def plain_error_is_a_server_error(client, facts):
    expect_raises(flight.FlightServerError, lambda: action(client, "throw"), "a plain error")


@check("basic")
def error_in_each_method(client, facts):
    missing = flight.FlightDescriptor.for_path("missing")
    expect_raises(KeyError, lambda: client.get_flight_info(missing), "no dataset")
    expect_raises(KeyError, lambda: client.get_schema(missing), "no dataset")
    expect_raises(KeyError, lambda: client.do_get(flight.Ticket(b"missing")), "no dataset")
    expect_raises(ValueError, lambda: list(client.list_flights(b"\xff")), "criteria")
    expect_raises(NotImplementedError, lambda: action(client, "unknown action"), "unknown action")


@check("basic")
def error_after_some_batches(client, facts):
    reader = client.do_get(flight.Ticket(b"breaks"))
    assert reader.read_chunk().data.num_rows == 3
    error = expect_raises(flight.FlightInternalError, reader.read_chunk, "broke half-way")
    assert error.extra_info == b"half"


@check("basic")
def extra_info_above_what_grpc_takes(client, facts):
    # gRPC C++ says how large its headers may be: the error keeps its class and its text
    stream = client.do_get(flight.Ticket(b"breaks"))
    error = expect_raises(flight.FlightInternalError, lambda: client.do_get(flight.Ticket(b"fails at length")).read_all(), "failed (100000 bytes of extra info were left out")
    assert error.extra_info == b""
    assert stream.read_chunk().data.num_rows == 3, "another call of the connection goes on"


@check("basic")
def error_text_beyond_ascii(client, facts):
    expect_raises(flight.FlightServerError, lambda: action(client, "fail-text", "grüße\n100 % 日本".encode()), "grüße\n100 % 日本")


@check("basic")
def concurrent_calls_on_one_connection(client, facts):
    failures = []

    def work(index):
        try:
            for _ in range(10):
                assert action(client, "echo", str(index).encode()) == [str(index).encode()]
                assert client.do_get(flight.Ticket(b"source:table")).read_all().num_rows == 3
        except BaseException:
            failures.append(traceback.format_exc())

    threads = [threading.Thread(target=work, args=(index,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


@check("basic")
def large_batch(client, facts):
    """One batch of 64 MiB in each direction, as one message from us."""
    table = pa.table({"x": np.arange(8 * 1024 * 1024, dtype=np.int64)})
    put(client, flight.FlightDescriptor.for_path("large"), table)
    received = client.do_get(flight.Ticket(b"large")).read_all()
    assert received.equals(table)


@check("basic")
def compressed_put(client, facts):
    table = simple_table(10_000)
    for codec in ["lz4", "zstd"]:
        options = flight.FlightCallOptions(write_options=pa.ipc.IpcWriteOptions(compression=codec))
        put(client, flight.FlightDescriptor.for_path("compressed"), table, options=options)
        assert client.do_get(flight.Ticket(b"compressed")).read_all().equals(table), codec


@check("basic")
def write_size_limit(client, facts):
    limited = flight.connect(facts["uri"], write_size_limit_bytes=4096)
    table = pa.table({"x": np.arange(4096)})
    writer, _ = limited.do_put(flight.FlightDescriptor.for_path("limited"), table.schema)
    expect_raises(flight.FlightWriteSizeExceededError, lambda: writer.write_table(table))
    writer.write_table(table, 128)
    writer.close()
    assert client.do_get(flight.Ticket(b"limited")).read_all().equals(table)


@check("basic")
def sessions_by_cookie(client, facts):
    # SetSessionOptionsRequest { map<string, SessionOptionValue> session_options = 1 }: {"catalog": "main"}
    entry = b"\x0a\x07catalog\x12\x06\x0a\x04main"
    request = b"\x0a" + bytes([len(entry)]) + entry
    jar = {}

    class Cookies(flight.ClientMiddleware):
        def sending_headers(self):
            return {"cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}

        def received_headers(self, headers):
            for cookie in headers.get("set-cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                jar[name] = value
                if "Max-Age=0" in cookie:
                    del jar[name]

    class Factory(flight.ClientMiddlewareFactory):
        def start_call(self, info):
            return Cookies()

    session = flight.connect(facts["uri"], middleware=[Factory()])
    assert action(session, "GetSessionOptions") == [b""]
    assert jar == {}, jar
    assert action(session, "SetSessionOptions", request) == [b""]
    assert list(jar) == ["arrow_flight_session_id"], jar
    assert action(session, "GetSessionOptions") == [request]
    assert action(client, "GetSessionOptions") == [b""]
    assert action(session, "CloseSession") == [b"\x08\x01"]
    assert jar == {}, jar


@check("large")
def batch_of_one_gibibyte(client, facts):
    table = pa.table({"x": np.arange(1 << 27, dtype=np.int64)})
    assert table.nbytes == 1 << 30
    put(client, flight.FlightDescriptor.for_path("gibibyte"), table)
    chunks = [chunk.data for chunk in client.do_get(flight.Ticket(b"gibibyte"))]
    assert len(chunks) == 1 and chunks[0].nbytes == 1 << 30, chunks
    assert pa.Table.from_batches(chunks).equals(table)


@check("large")
def stream_of_four_gibibytes(client, facts):
    """Generated there, and dropped here."""
    received = 0
    for chunk in client.do_get(flight.Ticket(b"flood")):
        received += chunk.data.nbytes
    assert received == 4 << 30, received


# ---------------------------------------------------------------- middleware


class Recorder(flight.ClientMiddlewareFactory):
    """Sends a header and keeps those that come back."""

    def __init__(self, headers):
        self.headers = headers
        self.received = {}

    def start_call(self, info):
        recorder = self

        class Instance(flight.ClientMiddleware):
            def sending_headers(self):
                return recorder.headers

            def received_headers(self, headers):
                recorder.received.update(headers)

        return Instance()


@check("middleware")
def header_comes_back(client, facts):
    recorder = Recorder({"x-middleware": "expected value"})
    with flight.connect(facts["uri"], middleware=[recorder]) as other:
        assert action(other, "ping") == [b"pong"]
    assert recorder.received["x-middleware"] == ["expected value"], recorder.received
    assert recorder.received["x-binary-bin"] == [b"\x00\xff"], recorder.received


@check("middleware")
def header_comes_back_when_the_call_fails(client, facts):
    recorder = Recorder({"x-middleware": "expected value"})
    with flight.connect(facts["uri"], middleware=[recorder]) as other:
        expect_raises(KeyError, lambda: other.get_flight_info(flight.FlightDescriptor.for_path("missing")))
    assert recorder.received["x-middleware"] == ["expected value"], recorder.received


@check("middleware")
def refuses_a_call(client, facts):
    recorder = Recorder({"x-refuse": "yes", "x-middleware": "still"})
    with flight.connect(facts["uri"], middleware=[recorder]) as other:
        expect_raises(flight.FlightUnauthorizedError, lambda: action(other, "ping"), "refused by middleware")
        expect_raises(flight.FlightUnauthorizedError, lambda: other.do_get(flight.Ticket(b"source:table")).read_all())
        expect_raises(flight.FlightUnauthorizedError, lambda: put(other, flight.FlightDescriptor.for_path("x"), simple_table()))
    assert recorder.received["x-middleware"] == ["still"], recorder.received


@check("middleware")
def sees_every_call_end(client, facts):
    before = json.loads(action(client, "completed")[0])
    action(client, "ping")
    expect_raises(KeyError, lambda: client.get_flight_info(flight.FlightDescriptor.for_path("missing")))
    after = json.loads(action(client, "completed")[0])
    assert after[len(before) :] == [["DoAction", None], ["DoAction", None], ["GetFlightInfo", "NOT_FOUND"]], after


@check("middleware")
def carries_the_trace(client, facts):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    options = flight.FlightCallOptions(headers=[(b"traceparent", f"00-{trace}-00f067aa0ba902b7-01".encode()), (b"tracestate", b"a=b")])
    context = json.loads(action(client, "context", options=options)[0])
    assert context["traceContext"]["traceId"] == trace, context
    assert context["traceContext"]["traceState"] == "a=b", context


@check("middleware")
def headers_and_trailers_of_the_handler(client, facts):
    recorder = Recorder({})
    with flight.connect(facts["uri"], middleware=[recorder]) as other:
        action(other, "add-headers")
    assert recorder.received["x-handler"] == ["header"], recorder.received


# ---------------------------------------------------------------- auth: handshake and token


class BasicHandler(flight.ClientAuthHandler):
    def __init__(self, username, password):
        super().__init__()
        self.basic = flight.BasicAuth(username, password)
        self.token = None

    def authenticate(self, outgoing, incoming):
        outgoing.write(self.basic.serialize())
        self.token = incoming.read()

    def get_token(self):
        return self.token


@check("handshake")
def refused_without_token(client, facts):
    expect_raises(flight.FlightUnauthenticatedError, lambda: action(client, "identity"))
    expect_raises(flight.FlightUnauthenticatedError, lambda: list(client.list_flights()))


@check("handshake")
def refused_with_wrong_password(client, facts):
    with connect(facts) as other:
        expect_raises(flight.FlightUnauthenticatedError, lambda: other.authenticate(BasicHandler("alice", "wrong")))


@check("handshake")
def token_after_handshake(client, facts):
    with connect(facts) as other:
        other.authenticate(BasicHandler("alice", "secret"))
        assert action(other, "identity") == [b"alice"]
        put(other, flight.FlightDescriptor.for_path("auth"), simple_table())
        assert other.do_get(flight.Ticket(b"auth")).read_all().num_rows == 10


@check("handshake")
def handshake_in_several_rounds(client, facts):
    class Rounds(flight.ClientAuthHandler):
        def __init__(self):
            super().__init__()
            self.token = b""

        def authenticate(self, outgoing, incoming):
            outgoing.write(b"rounds")
            total = 0
            for _ in range(3):
                total += int(incoming.read())
                outgoing.write(str(total).encode())
            self.token = incoming.read()

        def get_token(self):
            return self.token

    with connect(facts) as other:
        other.authenticate(Rounds())
        assert action(other, "identity") == [b"counted to 6"]


@check("handshake")
def invalid_token(client, facts):
    class Forger(BasicHandler):
        def authenticate(self, outgoing, incoming):
            super().authenticate(outgoing, incoming)
            self.token = b"forged \x00\xff"

    with connect(facts) as other:
        other.authenticate(Forger("alice", "secret"))
        expect_raises(flight.FlightUnauthenticatedError, lambda: action(other, "identity"))


# ---------------------------------------------------------------- bearer: header auth


@check("bearer")
def basic_gives_bearer(client, facts):
    name, value = client.authenticate_basic_token("alice", "secret")
    assert name == b"authorization" and value.startswith(b"Bearer "), (name, value)
    assert action(client, "identity", options=flight.FlightCallOptions(headers=[(name, value)])) == [b"alice"]


@check("bearer")
def basic_with_wrong_password(client, facts):
    expect_raises(flight.FlightUnauthenticatedError, lambda: client.authenticate_basic_token("alice", "wrong"))
    expect_raises(flight.FlightUnauthenticatedError, lambda: client.authenticate_basic_token("bob", ""))


@check("bearer")
def no_or_wrong_bearer(client, facts):
    expect_raises(flight.FlightUnauthenticatedError, lambda: action(client, "identity"))
    options = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer nonsense")])
    expect_raises(flight.FlightUnauthenticatedError, lambda: action(client, "identity", options=options))


@check("bearer")
def basic_on_every_call(client, facts):
    for encoded in [b"YWxpY2U6c2VjcmV0", b"YWxpY2U6c2VjcmV0"]:
        options = flight.FlightCallOptions(headers=[(b"authorization", b"Basic " + encoded)])
        assert action(client, "identity", options=options) == [b"alice"]
    for encoded in [b"Ym86eA==", b"Ym86eA"]:
        options = flight.FlightCallOptions(headers=[(b"authorization", b"Basic " + encoded)])
        assert action(client, "identity", options=options) == [b"bo"]


# ---------------------------------------------------------------- tls, mtls


@check("tls")
def encrypted_round_trip(client, facts):
    table = simple_table(100_000)
    put(client, flight.FlightDescriptor.for_path("tls"), table)
    assert client.do_get(flight.Ticket(b"tls")).read_all().equals(table)


@check("tls")
def certificate_is_verified(client, facts):
    with flight.connect(facts["uri"]) as other:
        expect_raises(flight.FlightUnavailableError, lambda: action(other, "ping"))


@check("tls")
def verification_can_be_switched_off(client, facts):
    with flight.connect(facts["uri"], disable_server_verification=True) as other:
        assert action(other, "ping") == [b"pong"]


@check("tls")
def host_name_override_and_sni(client, facts):
    with flight.connect(facts["uri"], tls_root_certs=facts["rootCertificates"], override_hostname="second.example") as other:
        assert action(other, "ping") == [b"pong"]
    with flight.connect(facts["uri"], tls_root_certs=facts["rootCertificates"], override_hostname="third.example") as other:
        expect_raises(flight.FlightUnavailableError, lambda: action(other, "ping"))


@check("mtls")
def identity_of_the_certificate(client, facts):
    assert action(client, "identity") == [b"alice"]


@check("mtls")
def refused_without_certificate(client, facts):
    with flight.connect(facts["uri"], tls_root_certs=facts["rootCertificates"]) as other:
        expect_raises(flight.FlightUnavailableError, lambda: action(other, "ping"))


@check("mtls")
def refused_with_foreign_certificate(client, facts):
    with flight.connect(
        facts["uri"],
        tls_root_certs=facts["rootCertificates"],
        cert_chain=facts["foreignCert"],
        private_key=facts["foreignKey"],
    ) as other:
        expect_raises(flight.FlightUnavailableError, lambda: action(other, "ping"))


# ---------------------------------------------------------------- unix


@check("unix")
def round_trip_over_a_unix_socket(client, facts):
    table = simple_table(100_000)
    put(client, flight.FlightDescriptor.for_path("unix"), table)
    assert client.do_get(flight.Ticket(b"unix")).read_all().equals(table)
    assert json.loads(action(client, "context")[0])["peer"].startswith("unix:")


# ---------------------------------------------------------------- main


def connect(facts):
    options = {}
    if "rootCertificates" in facts:
        options["tls_root_certs"] = facts["rootCertificates"]
    if "clientCert" in facts:
        options["cert_chain"] = facts["clientCert"]
        options["private_key"] = facts["clientKey"]
    return flight.connect(facts["uri"], **options)


def main():
    group = sys.argv[1]
    facts = json.loads(sys.stdin.read())
    if group == "types":
        import types_checks

        GROUPS["types"] = types_checks.CHECKS
    with connect(facts) as client:
        for function in GROUPS[group]:
            error = None
            try:
                function(client, facts)
            except BaseException:
                error = traceback.format_exc()
            print(json.dumps({"check": function.__name__, "error": error}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        import types_checks

        GROUPS["types"] = types_checks.CHECKS
        print(json.dumps({group: [function.__name__ for function in checks] for group, checks in GROUPS.items()}))
    else:
        main()
