"""OpenTelemetry in Python in the middle of services that speak Zipkin: B3 headers in and out, spans through the exporter for Zipkin."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.exporter.zipkin.encoder import Protocol as Version
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from harness import Backtrail
from sample import after_start
from shapes import tags_by_key

PARENT = "a2fb4a1d1a96d312"
VERSIONS = {"v2": Version.V2, "v1": Version.V1}


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def tracer(version: str, backtrail: Backtrail) -> Iterator[trace.Tracer]:
    exporter = ZipkinExporter(
        version=VERSIONS[version],
        endpoint=backtrail.url("zipkin", f"/api/{version}/spans"),
        # Without a limit the encoder of version 1 fails on every text.
        max_tag_value_length=128,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "hop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("backtrail.sample", "1.2.3")
    provider.shutdown()


@pytest.mark.parametrize("trace_id", ["463ac35c9f6413ad", "463ac35c9f6413ad48485a3953bb6124"], ids=["64 bits", "128 bits"])
@pytest.mark.parametrize("propagator", [B3MultiFormat(), B3SingleFormat()], ids=["b3multi", "b3"])
def test_a_span_continues_the_trace_of_the_caller_and_hands_it_on(
    backtrail: Backtrail,
    version: str,
    tracer: trace.Tracer,
    propagator: TextMapPropagator,
    trace_id: str,
    request: pytest.FixtureRequest,
) -> None:
    # Each test has a trace of its own.
    trace_id = f"{hash(request.node.name) % 2**32:08x}{trace_id[8:]}"
    inbound = {"b3": f"{trace_id}-{PARENT}-1"}
    if isinstance(propagator, B3MultiFormat) and not isinstance(propagator, B3SingleFormat):
        inbound = {"x-b3-traceid": trace_id, "x-b3-spanid": PARENT, "x-b3-sampled": "1"}

    span = tracer.start_span("GET /", propagator.extract(inbound), SpanKind.SERVER, {"http.path": "/käse"}, start_time=after_start(0))
    span.add_event("row.read", timestamp=after_start(1))
    span.set_status(Status(StatusCode.ERROR, "größe"))
    outbound: dict[str, str] = {}
    propagator.inject(outbound, trace.set_span_in_context(span))
    span.end(after_start(40))

    padded = trace_id.rjust(32, "0")
    skeleton = backtrail.skeleton(trace_id, 1)
    assert skeleton["trace_id"] == padded
    (span_id,) = skeleton["columns"]["span_id"]
    assert outbound in (
        {"b3": f"{padded}-{span_id}-1"},
        {"x-b3-traceid": padded, "x-b3-spanid": span_id, "x-b3-sampled": "1"},
    )

    read = backtrail.span(trace_id, span_id)
    # The exporter's encoder of version 1 writes no kind.
    kind = {"v2": "server", "v1": "unspecified"}[version]
    assert (read["service"], read["name"], read["kind"], read["parent_span_id"]) == ("hop", "GET /", kind, PARENT)
    # Zipkin counts microseconds.
    assert (read["start_unix_nano"], read["duration_nano"]) == (str(after_start(0) // 1000 * 1000), 40_000_000)
    assert (read["status"], read["status_message"]) == ("error", "größe")
    assert tags_by_key(read["attributes"])["http.path"] == {"type": "string", "value": "/käse"}
    (event,) = read["events"]
    assert event["time_unix_nano"] == str(after_start(1) // 1000 * 1000)
    assert (read["scope"]["name"], read["scope"]["version"]) == ("backtrail.sample", "1.2.3")
