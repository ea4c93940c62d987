"""What the current OpenTelemetry SDK for Python logs inside a span: exceptions are kept as events of that span, and nobody is told off for the rest."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from harness import Backtrail
from shapes import tags_by_key

RESOURCE = Resource.create({"service.name": "shop"})

Exporters = tuple[SpanExporter, LogRecordExporter, MetricExporter]


def over_http(backtrail: Backtrail) -> Exporters:
    return (
        HttpSpanExporter(backtrail.url("otlp-http", "/v1/traces")),
        HttpLogExporter(backtrail.url("otlp-http", "/v1/logs")),
        HttpMetricExporter(backtrail.url("otlp-http", "/v1/metrics")),
    )


def over_grpc(backtrail: Backtrail) -> Exporters:
    address = backtrail.address("otlp-grpc")
    return (
        GrpcSpanExporter(address, insecure=True),
        GrpcLogExporter(address, insecure=True),
        GrpcMetricExporter(address, insecure=True),
    )


TRANSPORTS: dict[str, Callable[[Backtrail], Exporters]] = {"http": over_http, "grpc": over_grpc}


@pytest.mark.filterwarnings("ignore:.*LoggingHandler.*:DeprecationWarning")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_exception_that_is_logged_is_an_event_of_its_span(
    backtrail: Backtrail, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    span_exporter, log_exporter, _ = TRANSPORTS[transport](backtrail)
    tracers = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(span_exporter))
    loggers = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
    logger = logging.getLogger(f"shop.{transport}")
    logger.addHandler(LoggingHandler(logger_provider=loggers))

    with tracers.get_tracer("shop").start_as_current_span("order") as span:
        logger.warning("the shelf is nearly empty")
        try:
            raise LookupError("no such book")
        except LookupError:
            logger.exception("could not place the order")
    loggers.shutdown()
    tracers.shutdown()

    context = span.get_span_context()
    detail = backtrail.span(f"{context.trace_id:032x}", f"{context.span_id:016x}")
    (event,) = detail["events"]
    assert event["name"] == "exception"
    attributes = tags_by_key(event["attributes"])
    assert attributes["exception.type"]["value"] == "LookupError"
    assert attributes["exception.message"]["value"] == "no such book"
    assert "raise LookupError" in attributes["exception.stacktrace"]["value"]
    assert attributes["log.body"]["value"] == "could not place the order"
    assert attributes["log.severity_text"]["value"] == "ERROR"
    assert exporter_complaints(caplog) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_metrics_are_taken_without_a_word(
    backtrail: Backtrail, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, metric_exporter = TRANSPORTS[transport](backtrail)
    reader = PeriodicExportingMetricReader(metric_exporter)
    meters = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    meters.get_meter("shop").create_counter("orders").add(1)
    assert meters.force_flush()
    meters.shutdown()
    assert exporter_complaints(caplog) == []


def exporter_complaints(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name.startswith("opentelemetry")]
