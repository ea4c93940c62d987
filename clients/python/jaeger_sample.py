"""A batch as a Jaeger client sends it: every type of tag, logs, references, 128-bit and 64-bit trace ids."""

from jaeger_thrift import Batch, Log, Process, RefType, Span, SpanRef, signed, tag

SERVICE = "lager-倉庫"
PROCESS_TAGS = {"hostname": "lager-1", "jaeger.version": "Python-4.8.0", "replicas": 3}

TAGS = {
    "text": "Grüße, 世界 🚀",
    "text.empty": "",
    "flag.yes": True,
    "flag.no": False,
    "int": 42,
    "int.lowest": -(2**63),
    "int.largest": 2**63 - 1,
    "double": 2.5,
    "double.whole": 3.0,
    "bytes": b"\x00\x01\xfe\xff",
    "bytes.empty": b"",
}
LOG_FIELDS = {"event": "row.read", "row.number": 17, "row.cached": True, "row.weight": 0.25, "row.key": b"\x00\xff"}

LINKED_TRACE_ID = 0x463AC35C9F6413AD48485A3953BB6124
LINKED_SPAN_ID = 0xA2FB4A1D1A96D312

SERVER_SPAN_ID = 0xFFF067AA0BA902B7
CLIENT_SPAN_ID = 0x00F067AA0BA902B8
CONSUMER_SPAN_ID = 0x00F067AA0BA902B9

SAMPLED = 1
START_MICROS = 1_760_000_000_000_123


def jaeger_sample(trace_id: int) -> Batch:
    """Three spans: a server's, a client's under it by its parent id, and a consumer's under it by a reference only."""

    def span(span_id: int, parent_id: int, name: str, start_micros: int, duration_micros: int, **more: object) -> Span:
        return Span(
            **_trace_id_halves(trace_id),
            spanId=signed(span_id),
            parentSpanId=signed(parent_id),
            operationName=name,
            flags=SAMPLED,
            startTime=START_MICROS + start_micros,
            duration=duration_micros,
            **more,
        )

    follows_other_trace = SpanRef(
        refType=RefType.FOLLOWS_FROM, **_trace_id_halves(LINKED_TRACE_ID), spanId=signed(LINKED_SPAN_ID)
    )
    child_of_server = SpanRef(refType=RefType.CHILD_OF, **_trace_id_halves(trace_id), spanId=signed(SERVER_SPAN_ID))

    server = span(
        SERVER_SPAN_ID,
        0,
        "GET /lager/{größe}",
        0,
        40_000,
        references=[follows_other_trace],
        tags=[tag("span.kind", "server"), *(tag(key, value) for key, value in TAGS.items())],
        logs=[Log(timestamp=START_MICROS + 7, fields=[tag(key, value) for key, value in LOG_FIELDS.items()])],
    )
    client = span(
        CLIENT_SPAN_ID,
        SERVER_SPAN_ID,
        "SELECT shelves",
        5_000,
        1,
        tags=[tag("span.kind", "client"), tag("error", True), tag("otel.status_description", "timed out")],
    )
    consumer = span(
        CONSUMER_SPAN_ID, 0, "shelf refill", 6_000, 0, references=[child_of_server], tags=[tag("span.kind", "consumer")]
    )
    process = Process(serviceName=SERVICE, tags=[tag(key, value) for key, value in PROCESS_TAGS.items()])
    return Batch(process=process, spans=[server, client, consumer])


def _trace_id_halves(trace_id: int) -> dict[str, int]:
    return {"traceIdHigh": signed(trace_id >> 64), "traceIdLow": signed(trace_id & (2**64 - 1))}
