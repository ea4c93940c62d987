"""What gRPC's own tools ask a server: is it well, and what does it offer."""

from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from harness import Backtrail

TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
CALL_TIMEOUT_SECONDS = 10


@pytest.fixture(scope="module")
def channel(backtrail: Backtrail) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(backtrail.address("otlp-grpc")) as channel:
        yield channel


@pytest.fixture(scope="module")
def described(channel: grpc.Channel) -> DescriptorPool:
    """The types of the server, fetched from it."""
    return DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


@pytest.mark.parametrize("service", ["", TRACE_SERVICE])
def test_the_server_says_that_it_serves(channel: grpc.Channel, service: str) -> None:
    request = health_pb2.HealthCheckRequest(service=service)
    response = health_pb2_grpc.HealthStub(channel).Check(request, timeout=CALL_TIMEOUT_SECONDS)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_it_does_not_know_the_health_of_a_service_that_it_does_not_have(channel: grpc.Channel) -> None:
    request = health_pb2.HealthCheckRequest(service="nobody.Knows")
    with pytest.raises(grpc.RpcError) as error:
        health_pb2_grpc.HealthStub(channel).Check(request, timeout=CALL_TIMEOUT_SECONDS)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_its_health_can_be_watched(channel: grpc.Channel) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=CALL_TIMEOUT_SECONDS)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_reflection_lists_the_services(channel: grpc.Channel) -> None:
    services = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert TRACE_SERVICE in services
    assert "grpc.health.v1.Health" in services


def test_reflection_describes_the_trace_service(described: DescriptorPool) -> None:
    export = described.FindServiceByName(TRACE_SERVICE).methods_by_name["Export"]
    assert export.input_type.full_name == "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest"
    span = described.FindMessageTypeByName("opentelemetry.proto.trace.v1.Span")
    assert span.fields_by_name["trace_id"].number == 1


def test_a_call_made_from_nothing_but_reflection(
    backtrail: Backtrail, channel: grpc.Channel, described: DescriptorPool
) -> None:
    export = described.FindServiceByName(TRACE_SERVICE).methods_by_name["Export"]
    request = GetMessageClass(export.input_type)()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id = bytes.fromhex("5b8efff798038103d269b633813fc610")
    span.span_id = bytes.fromhex("00000000000000aa")
    span.name = "by reflection"
    span.start_time_unix_nano = 1_760_000_000_000_000_000
    span.end_time_unix_nano = 1_760_000_000_000_000_001

    call = channel.unary_unary(
        f"/{TRACE_SERVICE}/Export",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(export.output_type).FromString,
    )
    response = call(request, timeout=CALL_TIMEOUT_SECONDS)

    assert not response.HasField("partial_success")
    backtrail.skeleton("5b8efff798038103d269b633813fc610", 1)
    assert backtrail.span("5b8efff798038103d269b633813fc610", "00000000000000aa")["name"] == "by reflection"


def test_a_message_that_is_no_protobuf_is_an_invalid_argument(channel: grpc.Channel) -> None:
    call = channel.unary_unary(f"/{TRACE_SERVICE}/Export")
    with pytest.raises(grpc.RpcError) as error:
        call(b"\xff\xff\xff", timeout=CALL_TIMEOUT_SECONDS)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details()
