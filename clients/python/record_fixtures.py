"""Saves one request body of each client as test data for the decoders:

    .venv/bin/python record_fixtures.py ../../crates/codec/tests/fixtures

The ids are drawn from a counter and the instants are fixed, so running it again gives the same bytes.
"""

import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator

from jaeger_sample import jaeger_sample
from jaeger_thrift import in_binary, in_compact
from sample import emit_sample, sample_resource

TRACE_ID = 0x5B8EFFF798038103D269B633813FC60D
BODY_TIMEOUT_SECONDS = 10

bodies: SimpleQueue[bytes] = SimpleQueue()


class CountingIds(IdGenerator):
    def __init__(self) -> None:
        self._numbers = count(0xEEEE_EEEE_EEEE_EE01)

    def generate_span_id(self) -> int:
        return next(self._numbers)

    def generate_trace_id(self) -> int:
        return TRACE_ID


class RecordHttp(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        bodies.put(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keeps standard output for the names of the files."""


class RecordGrpc(grpc.GenericRpcHandler):
    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        def record(message: bytes, _: grpc.ServicerContext) -> bytes:
            bodies.put(message)
            return b""

        return grpc.unary_unary_rpc_method_handler(record)


def body_of(exporter: SpanExporter) -> bytes:
    provider = TracerProvider(resource=sample_resource(), id_generator=CountingIds(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    emit_sample(provider, TRACE_ID)
    provider.shutdown()
    return bodies.get(timeout=BODY_TIMEOUT_SECONDS)


def save(file: Path, body: bytes) -> None:
    file.write_bytes(body)
    print(file)


def main() -> None:
    directory = Path(sys.argv[1])
    otlp = f"python-{version('opentelemetry-sdk')}-otlp"
    thrift = f"python-thrift-{version('thrift')}-jaeger"

    http_server = HTTPServer(("127.0.0.1", 0), RecordHttp)
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    save(directory / f"{otlp}-protobuf.bin", body_of(HttpExporter(f"http://127.0.0.1:{http_server.server_port}/v1/traces")))
    http_server.shutdown()

    grpc_server = grpc.server(futures.ThreadPoolExecutor(1), [RecordGrpc()])
    grpc_port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    save(directory / f"{otlp}-grpc-message.bin", body_of(GrpcExporter(f"127.0.0.1:{grpc_port}", insecure=True)))
    grpc_server.stop(None)

    save(directory / f"{thrift}-binary.bin", in_binary(jaeger_sample(TRACE_ID)))
    save(directory / f"{thrift}-compact.bin", in_compact(jaeger_sample(TRACE_ID)))


if __name__ == "__main__":
    main()
