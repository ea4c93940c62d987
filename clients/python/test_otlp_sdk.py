"""What the current OpenTelemetry SDK for Python sends is read back field by field, over each of its exporters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from harness import Backtrail
from sample import (
    ATTRIBUTES,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE,
    LINKED,
    REMOTE_PARENT_SPAN_ID,
    RESOURCE_ATTRIBUTES,
    RESOURCE_SCHEMA_URL,
    SCOPE_ATTRIBUTES,
    SCOPE_NAME,
    SCOPE_SCHEMA_URL,
    SCOPE_VERSION,
    SERVICE,
    EmittedIds,
    after_start,
    emit_sample,
    sample_resource,
)
from shapes import tags_by_key, typed_attributes

# OTLP's span flags: whether the parent is known to be remote. This SDK does not send W3C's `sampled` with them.
WITH_LOCAL_PARENT = 0x100
WITH_REMOTE_PARENT = 0x300


def over_http(backtrail: Backtrail, compression: Compression) -> SpanExporter:
    return HttpExporter(backtrail.url("otlp-http", "/v1/traces"), compression=compression)


def over_grpc(backtrail: Backtrail, compression: grpc.Compression) -> SpanExporter:
    return GrpcExporter(backtrail.address("otlp-grpc"), insecure=True, compression=compression)


EXPORTERS: dict[str, Callable[[Backtrail], SpanExporter]] = {
    "http": lambda backtrail: over_http(backtrail, Compression.NoCompression),
    "http-gzip": lambda backtrail: over_http(backtrail, Compression.Gzip),
    "http-deflate": lambda backtrail: over_http(backtrail, Compression.Deflate),
    "grpc": lambda backtrail: over_grpc(backtrail, grpc.Compression.NoCompression),
    "grpc-gzip": lambda backtrail: over_grpc(backtrail, grpc.Compression.Gzip),
}


@dataclass(frozen=True)
class Sent:
    trace_id: str
    ids: EmittedIds


@pytest.fixture(scope="module", params=EXPORTERS)
def sent(request: pytest.FixtureRequest, backtrail: Backtrail) -> Sent:
    """The sample, sent through one of the exporters."""
    provider = TracerProvider(resource=sample_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(EXPORTERS[request.param](backtrail)))
    trace_id = RandomIdGenerator().generate_trace_id()
    ids = emit_sample(provider, trace_id)
    provider.shutdown()
    return Sent(trace.format_trace_id(trace_id), ids)


def expected_span(sent: Sent, from_ms: int, to_ms: int, **fields: Any) -> dict[str, Any]:
    """A span of the sample as `/api/v1` gives it: what all of them share, with the span's own fields over it."""
    return {
        "trace_id": sent.trace_id,
        "service": SERVICE,
        "status": "unset",
        "status_message": "",
        "start_unix_nano": str(after_start(from_ms)),
        "end_unix_nano": str(after_start(to_ms)),
        "duration_nano": (to_ms - from_ms) * 1_000_000,
        "trace_state": "vendor=t61rcWkgMzE,other=1",
        "flags": WITH_LOCAL_PARENT,
        "attributes": [],
        "dropped_attributes_count": 0,
        "events": [],
        "dropped_events_count": 0,
        "links": [],
        "dropped_links_count": 0,
        "resource": {
            "attributes": typed_attributes(RESOURCE_ATTRIBUTES),
            "dropped_attributes_count": 0,
            "schema_url": RESOURCE_SCHEMA_URL,
        },
        "scope": {
            "name": SCOPE_NAME,
            "version": SCOPE_VERSION,
            "attributes": typed_attributes(SCOPE_ATTRIBUTES),
            "dropped_attributes_count": 0,
            "schema_url": SCOPE_SCHEMA_URL,
        },
        **fields,
    }


def test_the_skeleton_has_the_tree(backtrail: Backtrail, sent: Sent) -> None:
    skeleton = backtrail.skeleton(sent.trace_id, 5)
    columns, ids = skeleton["columns"], sent.ids
    assert columns["span_id"] == [ids.server, ids.client, ids.internal, ids.producer, ids.consumer]
    assert columns["parent"] == [-1, 0, 0, 0, 3]
    assert columns["kind"] == [2, 3, 1, 4, 5]
    assert columns["status"] == [0, 2, 1, 0, 0]
    assert skeleton["incomplete"], "the remote parent was never sent"


def test_a_span_with_every_type_of_attribute(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 5)
    assert backtrail.span(sent.trace_id, sent.ids.server) == expected_span(
        sent,
        0,
        40,
        span_id=sent.ids.server,
        parent_span_id=trace.format_span_id(REMOTE_PARENT_SPAN_ID),
        name="GET /warenkorb/{größe} 🧀",
        kind="server",
        flags=WITH_REMOTE_PARENT,
        attributes=typed_attributes(ATTRIBUTES),
    )


def test_the_negative_zero_keeps_its_sign(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 5)
    server = backtrail.span(sent.trace_id, sent.ids.server)
    (zero,) = (attribute["value"] for attribute in server["attributes"] if attribute["key"] == "double.negative_zero")
    assert str(float(zero)) == "-0.0"


def test_a_span_with_events_links_and_an_error(backtrail: Backtrail, sent: Sent) -> None:
    def event(at_ms: int, name: str, attributes: dict[str, Any]) -> dict[str, Any]:
        return {
            "time_unix_nano": str(after_start(at_ms)),
            "name": name,
            "attributes": typed_attributes(attributes),
            "dropped_attributes_count": 0,
        }

    def link(attributes: dict[str, Any]) -> dict[str, Any]:
        return {
            "trace_id": trace.format_trace_id(LINKED.trace_id),
            "span_id": trace.format_span_id(LINKED.span_id),
            "trace_state": "",
            "flags": WITH_REMOTE_PARENT,
            "attributes": typed_attributes(attributes),
            "dropped_attributes_count": 0,
        }

    backtrail.skeleton(sent.trace_id, 5)
    exception = {
        "exception.type": EXCEPTION_TYPE,
        "exception.message": EXCEPTION_MESSAGE,
        "exception.stacktrace": EXCEPTION_STACKTRACE,
        "exception.escaped": "False",
    }
    assert backtrail.span(sent.trace_id, sent.ids.client) == expected_span(
        sent,
        5,
        9,
        span_id=sent.ids.client,
        parent_span_id=sent.ids.server,
        name="SELECT carts",
        kind="client",
        status="error",
        status_message="no such column: größe",
        events=[
            event(6, "row.read", {"row.number": 17, "row.tags": ("x", "y"), "row.key": b"\x00\xff"}),
            event(7, "bare", {}),
            event(8, "exception", exception),
        ],
        links=[link({"link.reason": "retry", "link.attempt": 2}), link({})],
    )


def test_spans_of_the_other_kinds_and_statuses(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 5)
    ids = sent.ids
    for span_id, parent_id, name, kind, status, from_ms, to_ms in (
        (ids.internal, ids.server, "price", "internal", "ok", 10, 10),
        (ids.producer, ids.server, "orders publish", "producer", "unset", 11, 12),
        (ids.consumer, ids.producer, "orders process", "consumer", "unset", 20, 30),
    ):
        assert backtrail.span(sent.trace_id, span_id) == expected_span(
            sent, from_ms, to_ms, span_id=span_id, parent_span_id=parent_id, name=name, kind=kind, status=status
        )


def test_the_same_trace_through_the_jaeger_api(backtrail: Backtrail, sent: Sent) -> None:
    backtrail.skeleton(sent.trace_id, 5)
    jaeger = backtrail.jaeger_trace(sent.trace_id)
    spans = {span["spanID"]: span for span in jaeger["spans"]}
    assert jaeger["traceID"] == sent.trace_id
    assert set(spans) == {sent.ids.server, sent.ids.client, sent.ids.internal, sent.ids.producer, sent.ids.consumer}

    client = spans[sent.ids.client]
    assert client["operationName"] == "SELECT carts"
    assert (client["startTime"], client["duration"]) == (1_760_000_000_005_000, 4_000)
    parents = [reference for reference in client["references"] if reference["refType"] == "CHILD_OF"]
    assert parents == [{"refType": "CHILD_OF", "traceID": sent.trace_id, "spanID": sent.ids.server}]
    tags = tags_by_key(client["tags"])
    assert tags["span.kind"] == {"type": "string", "value": "client"}
    assert tags["error"] == {"type": "bool", "value": True}
    exception = tags_by_key(client["logs"][2]["fields"])
    assert exception["exception.message"] == {"type": "string", "value": EXCEPTION_MESSAGE}

    tags = tags_by_key(spans[sent.ids.server]["tags"])
    assert tags["text.unicode"] == {"type": "string", "value": ATTRIBUTES["text.unicode"]}
    assert tags["int.negative"] == {"type": "int64", "value": -7}
    # Jaeger writes what JavaScript's numbers can't hold as text.
    assert tags["int.lowest"] == {"type": "int64", "value": str(-(2**63))}
    assert tags["double"] == {"type": "float64", "value": 2.5}
    assert tags["flag.yes"] == {"type": "bool", "value": True}

    process = jaeger["processes"][client["processID"]]
    assert process["serviceName"] == SERVICE
    assert tags_by_key(process["tags"])["deployment.replicas"] == {"type": "int64", "value": 3}
