"""The hop in Python of the trace that crosses all languages.

It continues what Jaeger's header says and hands it on in B3's: a service in the middle of a move from one to the other.
"""

import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import trace
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.propagators.b3 import B3MultiFormat
from opentelemetry.propagators.jaeger import JaegerPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

NEXT_TIMEOUT_SECONDS = 20

tracer = trace.get_tracer("backtrail.hop")
inbound, outbound = JaegerPropagator(), B3MultiFormat()


class Hop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802, the name that http.server looks for
        caller = inbound.extract(self.headers)
        with tracer.start_as_current_span("GET /", caller, SpanKind.SERVER):
            answer = b"python > " + ask_next()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """What it prints is for errors."""


def ask_next() -> bytes:
    with tracer.start_as_current_span("ask the next service", kind=SpanKind.CLIENT, attributes={"hop.language": "python"}) as span:
        headers: dict[str, str] = {}
        outbound.inject(headers)
        request = urllib.request.Request(os.environ["NEXT_URL"], headers=headers)
        with urllib.request.urlopen(request, timeout=NEXT_TIMEOUT_SECONDS) as answer:
            span.add_event("answered", {"status": answer.status})
            return answer.read()


def end(*_: object) -> None:
    sys.exit(0)


def main() -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ["SERVICE"]}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(ZipkinExporter(endpoint=os.environ["ZIPKIN_ENDPOINT"])))
    trace.set_tracer_provider(provider)
    signal.signal(signal.SIGTERM, end)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hop)
    print(f"listens on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    finally:
        provider.shutdown()


if __name__ == "__main__":
    main()
