"""What watches a server, written by others: gRPC's health client, Prometheus' parser, an OpenAPI validator.

probe_checks.py health HOST:PORT    asks, then watches until NOT_SERVING and SERVING again were told, a line each
probe_checks.py http URL            reads /metrics, validates /openapi.json, and holds answers against its schemas
"""

import json
import sys
import urllib.error
import urllib.request


def health(address):
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    names = health_pb2.HealthCheckResponse.ServingStatus
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "arrow.flight.protocol.FlightService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
            print(f"check {service!r} {names.Name(answer.status)}", flush=True)
        try:
            stub.Check(health_pb2.HealthCheckRequest(service="nothing"), timeout=30)
        except grpc.RpcError as error:
            print(f"check 'nothing' {error.code().name}", flush=True)
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=60)
        try:
            for answer in watching:
                print(f"watch {names.Name(answer.status)}", flush=True)
        except grpc.RpcError as error:
            print(f"watch ended {error.code().name}", flush=True)


def ask(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def http(url):
    from jsonschema import Draft202012Validator
    from openapi_spec_validator import OpenAPIV31SpecValidator
    from prometheus_client.parser import text_string_to_metric_families

    document = json.loads(ask(url + "/openapi.json")[2])
    OpenAPIV31SpecValidator(document).validate()
    print("openapi valid", flush=True)

    def hold(name, answer, status=200):
        code, headers, body = answer
        assert code == status, (name, code, body)
        assert "json" in headers["content-type"], headers["content-type"]
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(body))

    def post(sql, path="/"):
        return ask(url + path, "POST", sql.encode())

    hold("Result", post("CREATE TABLE probe (a INTEGER, b VARCHAR)"))
    hold("Result", post("INSERT INTO probe VALUES (1, 'x')"))
    hold("Inserted", post('{"a":2}\n', "/insert/ndjson?table=probe"))
    hold("Inserted", post('{"a":3}\n', "/?query=INSERT+INTO+probe+FORMAT+JSONEachRow"))
    hold("Result", post("FROM probe FORMAT JSON"))
    hold("Result", post("FROM probe FORMAT JSONCompact"))
    hold("Result", post("FROM probe WHERE false FORMAT JSON"))
    question = {"sql": "FROM probe WHERE a > :least", "params": {"least": 1}, "limit": 1}
    query = {"$ref": "#/components/schemas/Query", "components": document["components"]}
    Draft202012Validator(query).validate(question)
    typed = {"content-type": "application/json"}
    hold("Result", ask(url + "/", "POST", json.dumps(question).encode(), typed))
    hold("Problem", ask(url + "/", "POST", b'{"sqll":"SELECT 1"}', typed), 400)
    hold("Problem", post("SELEC 1"), 400)
    hold("Problem", post("FROM nowhere"), 404)
    hold("Problem", ask(url + "/?query=DROP+TABLE+probe"), 405)
    hold("Problem", ask(url + "/nowhere"), 404)
    hold("Problem", ask(url + "/queries/none", "DELETE"), 404)
    hold("Tables", ask(url + "/tables"))
    hold("Columns", ask(url + "/schema/probe"))
    hold("Problem", ask(url + "/schema/nowhere"), 404)
    hold("Queries", ask(url + "/queries"))
    hold("Health", ask(url + "/health"))
    hold("Ready", ask(url + "/ready"))
    print("answers as described", flush=True)

    code, headers, body = ask(url + "/metrics")
    assert code == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    for family in families.values():
        assert family.documentation, f"{family.name} has no help"
        assert family.type in ("counter", "gauge", "histogram", "summary", "unknown"), family.type
        labels = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
        assert len(labels) == len(set(labels)), f"{family.name} has a sample twice"
    for name, kind in (
        ("peregrine_http_requests", "counter"),
        ("peregrine_http_request_duration_seconds", "histogram"),
        ("peregrine_http_rows_inserted", "counter"),
        ("peregrine_engine_ready", "gauge"),
        ("process_cpu_seconds", "counter"),
    ):
        assert families[name].type == kind, (name, families.get(name))
    inserted = {s.labels["format"]: s.value for s in families["peregrine_http_rows_inserted"].samples}
    assert inserted == {"ndjson": 2.0}, inserted
    buckets = [
        sample
        for sample in families["peregrine_http_request_duration_seconds"].samples
        if sample.name.endswith("_bucket") and sample.labels["route"] == "/"
    ]
    values = [sample.value for sample in buckets]
    assert values == sorted(values) and buckets[-1].labels["le"] == "+Inf", buckets
    print("metrics valid", flush=True)


{"health": health, "http": http}[sys.argv[1]](sys.argv[2])
