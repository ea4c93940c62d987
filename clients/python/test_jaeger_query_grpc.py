"""Jaeger's query services over gRPC, called with nothing but what reflection tells: no `.proto` file, no generated code."""

import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import requests
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from harness import Backtrail

CALL_TIMEOUT_SECONDS = 10
TRACE_ID = "463ac35c9f6413ad48485a3953bb6124"
PARENT_ID, CHILD_ID = "00f067aa0ba902b7", "00f067aa0ba902b8"


class Caller:
    """Calls methods by name, with messages written as JSON."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._types = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def stream(self, service: str, method: str, request: dict[str, Any]) -> list[dict[str, Any]]:
        described = self._types.FindServiceByName(service).methods_by_name[method]
        message = json_format.ParseDict(request, GetMessageClass(described.input_type)())
        read = GetMessageClass(described.output_type).FromString
        kind = self._channel.unary_stream if described.server_streaming else self._channel.unary_unary
        call = kind(f"/{service}/{method}", lambda sent: sent.SerializeToString(), read)
        answers = call(message, timeout=CALL_TIMEOUT_SECONDS)
        if not described.server_streaming:
            answers = [answers]
        return [json_format.MessageToDict(answer) for answer in answers]

    def unary(self, service: str, method: str, request: dict[str, Any]) -> dict[str, Any]:
        (answer,) = self.stream(service, method, request)
        return answer


@pytest.fixture(scope="module")
def caller(backtrail: Backtrail) -> Iterator[Caller]:
    started = time.time_ns()
    parent = span(PARENT_ID, "GET /checkout", 2, started)
    child = {**span(CHILD_ID, "GET /cart", 3, started + 1_000), "parentSpanId": PARENT_ID, "status": {"code": 2}}
    resources = [{"resource": resource(name), "scopeSpans": [{"spans": [one]}]} for name, one in [("frontend", parent), ("cart", child)]]
    reply = requests.post(backtrail.url("otlp-http", "/v1/traces"), json={"resourceSpans": resources}, timeout=CALL_TIMEOUT_SECONDS)
    assert reply.status_code == 200, reply.text
    with grpc.insecure_channel(backtrail.address("jaeger-query-grpc")) as channel:
        yield Caller(channel)


def span(span_id: str, name: str, kind: int, started: int) -> dict[str, Any]:
    return {
        "traceId": TRACE_ID,
        "spanId": span_id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(started + 5_000_000),
        "attributes": [{"key": "http.response.status_code", "value": {"intValue": "500"}}],
    }


def resource(service: str) -> dict[str, Any]:
    return {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}


@pytest.mark.parametrize("service", ["jaeger.api_v3.QueryService", "jaeger.api_v2.QueryService"])
def test_names_are_told(caller: Caller, service: str) -> None:
    assert caller.unary(service, "GetServices", {}) == {"services": ["cart", "frontend"]}
    operations = caller.unary(service, "GetOperations", {"service": "cart"})["operations"]
    assert operations == [{"name": "GET /cart", "spanKind": "client"}]


def test_a_search_finds_summaries(caller: Caller) -> None:
    query = {"serviceName": "cart", "attributes": {"http.response.status_code": "500"}, "durationMin": "0.005s", "searchDepth": 5}
    (answer,) = caller.stream("jaeger.api_v3.QueryService", "FindTraceSummaries", {"query": query})
    (summary,) = answer["summaries"]
    assert summary["traceId"] == TRACE_ID
    assert (summary["rootServiceName"], summary["rootOperationName"]) == ("frontend", "GET /checkout")
    assert (summary["spanCount"], summary["errorSpanCount"]) == (2, 1)
    assert summary["services"] == [{"name": "cart", "spanCount": 1, "errorSpanCount": 1}, {"name": "frontend", "spanCount": 1}]


def test_a_trace_of_v3_is_otlp(caller: Caller) -> None:
    (answer,) = caller.stream("jaeger.api_v3.QueryService", "GetTrace", {"traceId": TRACE_ID.upper()})
    spans = [one for resource in answer["resourceSpans"] for scope in resource["scopeSpans"] for one in scope["spans"]]
    assert sorted(one["name"] for one in spans) == ["GET /cart", "GET /checkout"]


def test_a_trace_of_v2_is_jaegers_model(caller: Caller) -> None:
    (answer,) = caller.stream("jaeger.api_v2.QueryService", "FindTraces", {"query": {"serviceName": "frontend"}})
    parent, child = answer["spans"]
    assert (parent["process"]["serviceName"], child["process"]["serviceName"]) == ("frontend", "cart")
    assert parent["duration"] == "0.005s"
    assert child["references"][0]["spanId"] == parent["spanId"]
    tags = {tag["key"]: tag for tag in child["tags"]}
    assert tags["http.response.status_code"] == {"key": "http.response.status_code", "vType": "INT64", "vInt64": "500"}
    assert tags["error"] == {"key": "error", "vType": "BOOL", "vBool": True}


def test_calls_between_services_are_counted(caller: Caller) -> None:
    day = {"startTime": "2000-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}
    answer = caller.unary("jaeger.api_v3.QueryService", "GetDependencies", day)
    assert answer == {"dependencies": [{"parent": "frontend", "child": "cart", "callCount": "1"}]}


def test_capabilities_say_that_a_service_is_optional(caller: Caller) -> None:
    answer = caller.unary("jaeger.api_v3.Capabilities", "GetCapabilities", {})
    assert answer == {"search": {"withoutServiceName": True, "sameSpanConjunction": True}}


def test_a_trace_that_is_not_there_is_not_found(caller: Caller) -> None:
    with pytest.raises(grpc.RpcError) as error:
        caller.stream("jaeger.api_v3.QueryService", "GetTrace", {"traceId": "77"})
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
