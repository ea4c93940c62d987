"""Batches as Jaeger's own clients send them: Thrift over HTTP, in the binary and in the compact protocol."""

import pytest
import requests
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from harness import Backtrail
from jaeger_sample import (
    CLIENT_SPAN_ID,
    CONSUMER_SPAN_ID,
    LINKED_SPAN_ID,
    LINKED_TRACE_ID,
    LOG_FIELDS,
    PROCESS_TAGS,
    SERVER_SPAN_ID,
    SERVICE,
    START_MICROS,
    TAGS,
    jaeger_sample,
)
from jaeger_thrift import in_binary, in_compact
from shapes import tags_by_key, typed_attributes

POST_TIMEOUT_SECONDS = 10

PROTOCOLS = {
    "application/x-thrift": in_binary,
    "application/vnd.apache.thrift.binary": in_binary,
    "application/vnd.apache.thrift.compact": in_compact,
}


def post(backtrail: Backtrail, body: bytes, content_type: str, query: str = "") -> requests.Response:
    return requests.post(
        backtrail.url("jaeger-http", f"/api/traces{query}"),
        body,
        headers={"content-type": content_type},
        timeout=POST_TIMEOUT_SECONDS,
    )


@pytest.fixture(scope="module", params=PROTOCOLS)
def trace_id(request: pytest.FixtureRequest, backtrail: Backtrail) -> str:
    """The sample, sent with one of the content types."""
    trace_id = RandomIdGenerator().generate_trace_id()
    response = post(backtrail, PROTOCOLS[request.param](jaeger_sample(trace_id)), request.param)
    assert response.status_code == 202, response.text
    return f"{trace_id:032x}"


def test_the_spans_are_a_tree_by_parent_id_and_by_reference(backtrail: Backtrail, trace_id: str) -> None:
    skeleton = backtrail.skeleton(trace_id, 3)
    columns = skeleton["columns"]
    assert columns["span_id"] == [f"{span_id:016x}" for span_id in (SERVER_SPAN_ID, CLIENT_SPAN_ID, CONSUMER_SPAN_ID)]
    assert columns["parent"] == [-1, 0, 0]
    assert columns["start_offset_nano"] == [0, 5_000_000, 6_000_000]
    assert columns["duration_nano"] == [40_000_000, 1_000, 0]
    assert columns["kind"] == [2, 3, 5]
    assert columns["status"] == [0, 2, 0]
    assert skeleton["start_unix_nano"] == str(START_MICROS * 1_000)
    assert skeleton["services"] == [SERVICE]
    assert not skeleton["incomplete"]


def test_every_type_of_tag(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    server = backtrail.span(trace_id, f"{SERVER_SPAN_ID:016x}")
    assert server["name"] == "GET /lager/{größe}"
    assert server["kind"] == "server"
    assert server["attributes"] == typed_attributes(TAGS)


def test_the_process_is_the_resource(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    server = backtrail.span(trace_id, f"{SERVER_SPAN_ID:016x}")
    assert server["service"] == SERVICE
    # The OpenTelemetry Collector renames these two tags, and so do we.
    assert server["resource"]["attributes"] == typed_attributes(
        {
            "service.name": SERVICE,
            "host.name": PROCESS_TAGS["hostname"],
            "opencensus.exporterversion": f"Jaeger-{PROCESS_TAGS['jaeger.version']}",
            "replicas": PROCESS_TAGS["replicas"],
        }
    )


def test_a_log_is_an_event_with_its_fields(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    (event,) = backtrail.span(trace_id, f"{SERVER_SPAN_ID:016x}")["events"]
    assert event["name"] == "row.read"
    assert event["time_unix_nano"] == str((START_MICROS + 7) * 1_000)
    assert event["attributes"] == typed_attributes({key: LOG_FIELDS[key] for key in LOG_FIELDS if key != "event"})


def test_a_reference_to_another_trace_is_a_link(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    (link,) = backtrail.span(trace_id, f"{SERVER_SPAN_ID:016x}")["links"]
    assert (link["trace_id"], link["span_id"]) == (f"{LINKED_TRACE_ID:032x}", f"{LINKED_SPAN_ID:016x}")
    assert link["attributes"] == typed_attributes({"opentracing.ref_type": "follows_from"})


def test_the_error_tag_is_a_status(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    client = backtrail.span(trace_id, f"{CLIENT_SPAN_ID:016x}")
    assert (client["status"], client["status_message"], client["kind"]) == ("error", "timed out", "client")


def test_the_jaeger_api_gives_back_what_came_in(backtrail: Backtrail, trace_id: str) -> None:
    backtrail.skeleton(trace_id, 3)
    jaeger = backtrail.jaeger_trace(trace_id)
    spans = {span["spanID"]: span for span in jaeger["spans"]}
    server = spans[f"{SERVER_SPAN_ID:016x}"]
    assert (server["startTime"], server["duration"]) == (START_MICROS, 40_000)
    tags = tags_by_key(server["tags"])
    assert tags["span.kind"] == {"type": "string", "value": "server"}
    assert tags["text"] == {"type": "string", "value": TAGS["text"]}
    assert tags["flag.yes"] == {"type": "bool", "value": True}
    assert tags["int"] == {"type": "int64", "value": 42}
    # Jaeger writes what JavaScript's numbers can't hold as text.
    assert tags["int.largest"] == {"type": "int64", "value": str(2**63 - 1)}
    assert tags["double"] == {"type": "float64", "value": 2.5}
    assert tags["bytes"]["type"] == "binary"
    assert {"refType": "FOLLOWS_FROM", "traceID": f"{LINKED_TRACE_ID:032x}", "spanID": f"{LINKED_SPAN_ID:016x}"} in server["references"]
    (log,) = server["logs"]
    assert log["timestamp"] == START_MICROS + 7
    assert tags_by_key(log["fields"])["row.number"] == {"type": "int64", "value": 17}
    process = jaeger["processes"][server["processID"]]
    assert process["serviceName"] == SERVICE
    assert tags_by_key(process["tags"])["replicas"] == {"type": "int64", "value": 3}


def test_a_64_bit_trace_id_is_padded(backtrail: Backtrail) -> None:
    response = post(backtrail, in_binary(jaeger_sample(0x463AC35C9F6413AD)), "application/x-thrift")
    assert response.status_code == 202, response.text
    backtrail.skeleton("0000000000000000463ac35c9f6413ad", 3)
    for written in ("463ac35c9f6413ad", "463AC35C9F6413AD", "0000000000000000463AC35C9F6413AD"):
        assert backtrail.skeleton(written, 3)["trace_id"] == "0000000000000000463ac35c9f6413ad"
        assert len(backtrail.jaeger_trace(written)["spans"]) == 3


def test_the_format_may_be_named(backtrail: Backtrail) -> None:
    trace_id = RandomIdGenerator().generate_trace_id()
    response = post(backtrail, in_binary(jaeger_sample(trace_id)), "application/x-thrift", "?format=jaeger.thrift")
    assert response.status_code == 202, response.text
    backtrail.skeleton(f"{trace_id:032x}", 3)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-thrift", in_binary(jaeger_sample(1))[:-20], 400),
        ("application/vnd.apache.thrift.compact", in_compact(jaeger_sample(1))[:-20], 400),
        ("application/x-thrift", b"not thrift at all", 400),
        ("text/plain", in_binary(jaeger_sample(1)), 415),
    ],
    ids=["cut short", "compact cut short", "not thrift", "another content type"],
)
def test_what_cannot_be_read_is_refused_with_the_reason(
    backtrail: Backtrail, content_type: str, body: bytes, status: int
) -> None:
    response = post(backtrail, body, content_type)
    assert response.status_code == status
    assert response.text.strip()
