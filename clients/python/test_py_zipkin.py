"""What Zipkin's client for Python sends, in each of its encodings, read back field by field."""

import time
from dataclasses import dataclass

import pytest
from py_zipkin import Encoding
from py_zipkin.request_helpers import create_http_headers, extract_zipkin_attrs_from_headers
from py_zipkin.transport import SimpleHTTPTransport
from py_zipkin.zipkin import zipkin_client_span, zipkin_server_span

from harness import Backtrail
from shapes import tags_by_key

# Halves and quarters of a second are the same in every arithmetic.
START_SECONDS = 1_760_000_000.25
START_NANOS = 1_760_000_000_250_000_000
TAGS = {"http.path": "/lager/{größe}", "text.empty": "", "text.unicode": 'Grüße, 世界 🚀 "quoted" \\ back\nslash', "number": "42"}

ENCODINGS = [Encoding.V2_JSON, Encoding.V2_PROTO3, Encoding.V1_JSON]


@dataclass(frozen=True)
class Sent:
    trace_id: str
    server: str
    client: str


@pytest.fixture(scope="module", params=ENCODINGS, ids=lambda encoding: encoding.name)
def encoding(request: pytest.FixtureRequest) -> Encoding:
    return request.param


@pytest.fixture(scope="module", params=[64, 128], ids=lambda bits: f"{bits}-bit trace ids")
def sent(request: pytest.FixtureRequest, backtrail: Backtrail, encoding: Encoding) -> Sent:
    """A service asks another: three spans, of which the last two share an id."""
    host, port = backtrail.address("zipkin").split(":")
    reporting = {"transport_handler": SimpleHTTPTransport(host, int(port)), "encoding": encoding, "sample_rate": 100.0}
    with zipkin_server_span(
        "laden",
        "GET /lager/{größe}",
        binary_annotations=TAGS,
        host="10.1.2.3",
        port=8080,
        use_128bit_trace_id=request.param == 128,
        **reporting,
    ) as server:
        with zipkin_client_span("laden", "SELECT shelves", timestamp=START_SECONDS + 0.5, duration=1.0) as client:
            client.add_annotation("row.read", START_SECONDS + 0.75)
            client.add_sa_binary_annotation(port=5432, service_name="lager", host="10.1.2.4")
            client.update_binary_annotations({"error": "no such column: größe"})
            headers = create_http_headers()
            ids = Sent(server.zipkin_attrs.trace_id, server.zipkin_attrs.span_id, client.zipkin_attrs.span_id)
    with zipkin_server_span(
        "lager", "SELECT", zipkin_attrs=extract_zipkin_attrs_from_headers(headers), **reporting
    ):
        pass
    return ids


def halves(backtrail: Backtrail, sent: Sent) -> tuple[dict, dict]:
    """The client's and the server's half of the shared span."""
    skeleton = backtrail.skeleton(sent.trace_id, 3)
    assert skeleton["columns"]["span_id"].count(sent.client) == 2
    spans = backtrail.get(f"/api/v1/traces/{sent.trace_id}/spans/{sent.client}")["spans"]
    by_kind = {span["kind"]: span for span in spans}
    return by_kind["client"], by_kind["server"]


def test_the_spans_are_a_tree(backtrail: Backtrail, sent: Sent) -> None:
    skeleton = backtrail.skeleton(sent.trace_id, 3)
    columns = skeleton["columns"]
    assert skeleton["trace_id"] == sent.trace_id.rjust(32, "0")
    assert not skeleton["incomplete"]
    rows = {
        (skeleton["services"][service], skeleton["names"][name], kind): parent
        for service, name, kind, parent in zip(columns["service"], columns["name"], columns["kind"], columns["parent"], strict=True)
    }
    # Kinds in OTLP's numbers: 2 is a server's, 3 a client's.
    assert rows == {
        ("laden", "GET /lager/{größe}", 2): -1,
        ("laden", "SELECT shelves", 3): 0,
        ("lager", "SELECT", 2): columns["kind"].index(3),
    }


def test_times_tags_and_the_local_endpoint(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 3)
    server = backtrail.span(sent.trace_id, sent.server)
    assert server["parent_span_id"] is None
    # The client takes the time of a trace's first span itself, in microseconds.
    assert server["start_unix_nano"].endswith("000")
    assert abs(int(server["start_unix_nano"]) - time.time_ns()) < 60 * 1_000_000_000
    assert 0 < server["duration_nano"] < 60 * 1_000_000_000
    assert (server["service"], server["status"]) == ("laden", "unset")
    attributes = tags_by_key(server["attributes"])
    assert {key: attributes[key] for key in TAGS} == {key: {"type": "string", "value": value} for key, value in TAGS.items()}
    assert attributes["network.local.address"] == {"type": "string", "value": "10.1.2.3"}
    assert attributes["network.local.port"] == {"type": "int", "value": "8080"}


def test_an_annotation_an_error_and_the_remote_endpoint(backtrail: Backtrail, sent: Sent) -> None:
    client, _ = halves(backtrail, sent)
    assert client["parent_span_id"] == sent.server
    assert (client["start_unix_nano"], client["duration_nano"]) == (str(START_NANOS + 500_000_000), 1_000_000_000)
    assert (client["status"], client["status_message"]) == ("error", "no such column: größe")
    (event,) = client["events"]
    assert (event["name"], event["time_unix_nano"]) == ("row.read", str(START_NANOS + 750_000_000))
    attributes = tags_by_key(client["attributes"])
    assert attributes["peer.service"] == {"type": "string", "value": "lager"}
    assert attributes["network.peer.address"] == {"type": "string", "value": "10.1.2.4"}
    assert attributes["network.peer.port"] == {"type": "int", "value": "5432"}


def test_the_server_half_is_of_its_own_service(backtrail: Backtrail, sent: Sent) -> None:
    _, server = halves(backtrail, sent)
    assert (server["service"], server["parent_span_id"]) == ("lager", sent.server)


def test_it_is_found_by_a_tag_and_by_the_other_service(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 3)
    for search in ({"service": "laden", "attr": "http.path=/lager/{größe}"}, {"service": "lager"}, {"attr": "peer.service=lager"}):
        found = {trace["trace_id"] for trace in backtrail.get("/api/v1/search", search)["traces"]}
        assert sent.trace_id.rjust(32, "0") in found, search
