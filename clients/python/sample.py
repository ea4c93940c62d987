"""One trace that uses every feature of the OpenTelemetry API for Python that reaches the wire.

The tests send it through each exporter; `record_fixtures.py` saves the bytes.
"""

from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

SERVICE = "käsehaus-訂單"
RESOURCE_SCHEMA_URL = "https://opentelemetry.io/schemas/1.27.0"
SCOPE_NAME = "backtrail.sample"
SCOPE_VERSION = "1.2.3"
SCOPE_SCHEMA_URL = "https://opentelemetry.io/schemas/1.26.0"
SCOPE_ATTRIBUTES = {"scope.experimental": True, "scope.weight": 0.5, "scope.tags": ("a", "b")}

RESOURCE_ATTRIBUTES = {
    "service.name": SERVICE,
    "service.version": "2.0.0-β",
    "deployment.replicas": 3,
    "deployment.canary": False,
    "deployment.zones": ("a", "b"),
    "deployment.labels": {"tier": "gold", "weight": 0.5},
}

ATTRIBUTES = {
    "text": "plain",
    "text.empty": "",
    "text.unicode": 'Grüße, 世界 🚀 \x00\x1f "quoted" \\ back\nslash',
    "flag.yes": True,
    "flag.no": False,
    "int": 42,
    "int.zero": 0,
    "int.negative": -7,
    "int.beyond_double": 2**53 + 1,
    "int.largest": 2**63 - 1,
    "int.lowest": -(2**63),
    "double": 2.5,
    "double.whole": 3.0,
    "double.negative_zero": -0.0,
    "double.tiny": 5e-324,
    "double.largest": 1.7976931348623157e308,
    "double.nan": float("nan"),
    "double.infinite": float("inf"),
    "double.minus_infinite": float("-inf"),
    "bytes": bytes(range(256)),
    "bytes.empty": b"",
    "texts": ("a", "", "ü"),
    "flags": (True, False),
    "ints": (1, -2, 2**63 - 1),
    "doubles": (0.5, 3.0),
    "mixed": (1, "one", 1.0, True, b"\x01", None),
    "none": (),
    "nothing": None,
    "map": {"inner": {"deep": (1, {"deeper": "yes"})}, "empty": {}, "absent": None},
}

EXCEPTION_TYPE = "ValueError"
EXCEPTION_MESSAGE = "no such column: größe"
EXCEPTION_STACKTRACE = 'Traceback (most recent call last):\n  File "/app/cart.py", line 12, in total\n    raise ValueError(column)\nValueError: no such column: größe\n'

REMOTE_PARENT_SPAN_ID = 0x00F067AA0BA902B7
REMOTE_TRACE_STATE = TraceState([("vendor", "t61rcWkgMzE"), ("other", "1")])
LINKED = SpanContext(0x463AC35C9F6413AD48485A3953BB6124, 0xA2FB4A1D1A96D312, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))

START_NANOS = 1_760_000_000_000_000_123


def after_start(milliseconds: int) -> int:
    """The instant so many milliseconds after the start of the trace, in nanoseconds since 1970."""
    return START_NANOS + milliseconds * 1_000_000


@dataclass(frozen=True)
class EmittedIds:
    """The span ids of the sample by role, in hexadecimal."""

    server: str
    client: str
    internal: str
    producer: str
    consumer: str


def sample_resource() -> Resource:
    return Resource(RESOURCE_ATTRIBUTES, schema_url=RESOURCE_SCHEMA_URL)


def emit_sample(provider: TracerProvider, trace_id: int) -> EmittedIds:
    """Emits the sample as children of a remote span in the trace `trace_id`."""
    tracer = provider.get_tracer(SCOPE_NAME, SCOPE_VERSION, SCOPE_SCHEMA_URL, SCOPE_ATTRIBUTES)
    remote_parent = SpanContext(
        trace_id,
        REMOTE_PARENT_SPAN_ID,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=REMOTE_TRACE_STATE,
    )
    remote = trace.set_span_in_context(trace.NonRecordingSpan(remote_parent))

    server = tracer.start_span(
        "GET /warenkorb/{größe} 🧀", remote, SpanKind.SERVER, ATTRIBUTES, start_time=after_start(0)
    )
    in_server = trace.set_span_in_context(server)

    links = [Link(LINKED, {"link.reason": "retry", "link.attempt": 2}), Link(LINKED)]
    client = tracer.start_span("SELECT carts", in_server, SpanKind.CLIENT, links=links, start_time=after_start(5))
    client.add_event("row.read", {"row.number": 17, "row.tags": ("x", "y"), "row.key": b"\x00\xff"}, after_start(6))
    client.add_event("bare", timestamp=after_start(7))
    client.record_exception(
        ValueError(EXCEPTION_MESSAGE), {"exception.stacktrace": EXCEPTION_STACKTRACE}, after_start(8)
    )
    client.set_status(Status(StatusCode.ERROR, "no such column: größe"))
    client.end(after_start(9))

    internal = tracer.start_span("price", in_server, start_time=after_start(10))
    internal.set_status(Status(StatusCode.OK))
    internal.end(after_start(10))

    producer = tracer.start_span("orders publish", in_server, SpanKind.PRODUCER, start_time=after_start(11))
    producer.end(after_start(12))

    consumer = tracer.start_span(
        "orders process", trace.set_span_in_context(producer), SpanKind.CONSUMER, start_time=after_start(20)
    )
    consumer.end(after_start(30))

    server.end(after_start(40))

    def span_id(span: trace.Span) -> str:
        return trace.format_span_id(span.get_span_context().span_id)

    return EmittedIds(*(span_id(span) for span in (server, client, internal, producer, consumer)))
