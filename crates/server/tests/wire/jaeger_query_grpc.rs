//! `jaeger.api_v3.QueryService` and `jaeger.api_v2.QueryService`, asked with messages that are none of ours.

use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message;
use serde_json::Value;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::otlp_grpc::call_that_stalls;
use crate::running::grpc::{GrpcClient, Streamed};
use crate::running::jaeger_model::timestamp;
use crate::running::jaeger_query::{
    Dependencies, Empty, FindTracesRequest, GetDependencies, GetOperations, GetTraceV2, GetTraceV3,
    OperationsV2, OperationsV3, Services, Spans, Summaries, TraceQueryParameters,
};
use crate::running::{Backtrail, otlp, post};

const V3_GET: &str = "/jaeger.api_v3.QueryService/GetTrace";
const V3_FIND: &str = "/jaeger.api_v3.QueryService/FindTraces";
const V3_SUMMARIES: &str = "/jaeger.api_v3.QueryService/FindTraceSummaries";
const V2_GET: &str = "/jaeger.api_v2.QueryService/GetTrace";
const V2_FIND: &str = "/jaeger.api_v2.QueryService/FindTraces";

/// The trace of `shop.json` with a parent, events, links and all types of values.
const CHECKOUT: &str = "463ac35c9f6413ad48485a3953bb6124";
const ORPHAN: u128 = 0xc3;

/// A server with the small shop's traces.
fn shop() -> (Backtrail, GrpcClient) {
    let server = Backtrail::start();
    let json = include_bytes!("../../src/api/tests/shop.json");
    let kind = ("Content-Type", "application/json");
    let reply = post(&server.url("otlp-http", "/v1/traces"), &[kind], json);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let client = GrpcClient::connect(server.address("jaeger-query-grpc"));
    (server, client)
}

fn by_id(trace_id: &str) -> GetTraceV3 {
    GetTraceV3 {
        trace_id: trace_id.to_owned(),
        ..GetTraceV3::default()
    }
}

fn request(query: TraceQueryParameters) -> tonic::Request<FindTracesRequest> {
    tonic::Request::new(FindTracesRequest { query: Some(query) })
}

fn spans(messages: &[TracesData]) -> Vec<&Span> {
    let resources = messages.iter().flat_map(|data| &data.resource_spans);
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

#[test]
fn a_trace_of_v3_is_the_otlp_that_was_sent() {
    let server = Backtrail::start();
    let sent = otlp::trace(u128::from_str_radix(CHECKOUT, 16).unwrap(), 20);
    let otlp_grpc = GrpcClient::connect(server.address("otlp-grpc"));
    otlp_grpc.export(sent.clone(), None).unwrap();
    let expected = TracesData {
        resource_spans: sent.resource_spans,
    };
    let client = GrpcClient::connect(server.address("jaeger-query-grpc"));
    for id in [
        CHECKOUT,
        "463AC35C9F6413AD48485A3953BB6124",
        "00463ac35c9f6413ad48485a3953bb6124",
    ] {
        let found: Streamed<TracesData> = client
            .stream(V3_GET, tonic::Request::new(by_id(id)))
            .unwrap();
        assert_eq!(found.messages, std::slice::from_ref(&expected), "{id}");
    }
}

#[test]
fn a_span_of_v2_is_the_span_of_v1_with_nanoseconds_and_types() {
    let (server, client) = shop();
    let id = u128::from_str_radix(CHECKOUT, 16).unwrap().to_be_bytes();
    let get = |trace_id: Vec<u8>| {
        let request = tonic::Request::new(GetTraceV2 { trace_id });
        client.stream::<_, Spans>(V2_GET, request)
    };
    let found = get(id.to_vec()).unwrap();
    let spans: Vec<_> = found
        .messages
        .iter()
        .flat_map(|chunk| &chunk.spans)
        .collect();

    let (_, json) = server.get(&format!("/api/traces/{CHECKOUT}"));
    let json: Value = serde_json::from_str(&json).unwrap();
    let trace = &json["data"][0];
    let expected = trace["spans"].as_array().unwrap();
    assert_eq!(spans.len(), expected.len());
    for (span, expected) in spans.iter().zip(expected) {
        assert_eq!(span.trace_id, id);
        assert_eq!(span_id(&span.span_id), expected["spanID"]);
        assert_eq!(
            span.operation_name,
            expected["operationName"].as_str().unwrap()
        );
        assert_eq!(u64::from(span.flags), expected["flags"]);
        let start = span.start_time.unwrap();
        let start_us = start.seconds * 1_000_000 + i64::from(start.nanos) / 1000;
        assert_eq!(start_us, expected["startTime"]);
        let duration = span.duration.unwrap();
        assert_eq!(
            duration.seconds * 1_000_000 + i64::from(duration.nanos) / 1000,
            expected["duration"]
        );
        let process = &trace["processes"][expected["processID"].as_str().unwrap()];
        let own = span.process.as_ref().unwrap();
        assert_eq!(own.service_name, process["serviceName"].as_str().unwrap());
        assert_tags(&own.tags, &process["tags"]);
        assert_tags(&span.tags, &expected["tags"]);
        let logs = expected["logs"].as_array().unwrap();
        assert_eq!(span.logs.len(), logs.len());
        for (log, expected) in span.logs.iter().zip(logs) {
            assert_tags(&log.fields, &expected["fields"]);
        }
        let references = expected["references"].as_array().unwrap();
        assert_eq!(span.references.len(), references.len());
        for (reference, expected) in span.references.iter().zip(references) {
            assert_eq!(trace_id(&reference.trace_id), expected["traceID"]);
            assert_eq!(span_id(&reference.span_id), expected["spanID"]);
            let kind = ["CHILD_OF", "FOLLOWS_FROM"][reference.ref_type as usize];
            assert_eq!(kind, expected["refType"]);
        }
    }

    // The lower half is the whole of a short id.
    let orphan = get(vec![0, 0, 0, 0, 0, 0, 0, 0xc3]).unwrap();
    let orphan = &orphan.messages[0].spans[0];
    assert_eq!(orphan.trace_id, ORPHAN.to_be_bytes());
    assert_eq!(
        orphan.warnings,
        ["the parent of this span is not in the trace"]
    );
    let wrong = get(vec![1, 2, 3]).err().unwrap();
    assert_eq!(wrong.code(), Code::InvalidArgument);
}

fn trace_id(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes.try_into().unwrap()))
}

fn span_id(bytes: &[u8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes.try_into().unwrap()))
}

/// Each value is in the field of its type.
fn assert_tags(tags: &[crate::running::jaeger_model::KeyValue], expected: &Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(tags.len(), expected.len());
    for (tag, expected) in tags.iter().zip(expected) {
        assert_eq!(tag.key, expected["key"].as_str().unwrap());
        let names = ["string", "bool", "int64", "float64", "binary"];
        assert_eq!(names[tag.v_type as usize], expected["type"], "{}", tag.key);
        let value = &expected["value"];
        match tag.v_type {
            0 => assert_eq!(tag.v_str, value.as_str().unwrap()),
            1 => assert_eq!(tag.v_bool, value.as_bool().unwrap()),
            2 => assert_eq!(tag.v_int64.to_string(), value.to_string().replace('"', "")),
            3 => assert_eq!(
                tag.v_float64.to_string(),
                value.to_string().replace('"', "")
            ),
            _ => assert!(!tag.v_binary.is_empty()),
        }
    }
}

#[test]
fn summaries_are_those_over_http() {
    let (server, client) = shop();
    let all = request(TraceQueryParameters::default());
    let found: Streamed<Summaries> = client.stream(V3_SUMMARIES, all).unwrap();
    let summaries: Vec<_> = found
        .messages
        .iter()
        .flat_map(|some| &some.summaries)
        .collect();
    let (_, json) = server.get("/api/v3/trace-summaries");
    let json: Value = serde_json::from_str(&json).unwrap();
    let expected = json["summaries"].as_array().unwrap();
    assert_eq!(summaries.len(), 3);
    for (summary, expected) in summaries.iter().zip(expected) {
        assert_eq!(summary.trace_id, expected["traceId"].as_str().unwrap());
        assert_eq!(
            summary.root_service_name,
            expected["rootServiceName"].as_str().unwrap()
        );
        assert_eq!(
            summary.root_operation_name,
            expected["rootOperationName"].as_str().unwrap()
        );
        assert_eq!(
            summary.min_start_time_unix_nano.to_string(),
            expected["minStartTimeUnixNano"]
        );
        assert_eq!(
            summary.max_end_time_unix_nano.to_string(),
            expected["maxEndTimeUnixNano"]
        );
        assert_eq!(summary.span_count, expected["spanCount"]);
        assert_eq!(summary.error_span_count, expected["errorSpanCount"]);
        assert_eq!(summary.orphan_span_count, expected["orphanSpanCount"]);
        let services = expected["services"].as_array().unwrap();
        for (service, expected) in summary.services.iter().zip(services) {
            assert_eq!(service.name, expected["name"].as_str().unwrap());
            assert_eq!(service.span_count, expected["spanCount"]);
            assert_eq!(service.error_span_count, expected["errorSpanCount"]);
        }
    }
}

#[test]
fn names_and_calls_are_told() {
    let (_server, client) = shop();
    for version in ["v2", "v3"] {
        let path = |method: &str| -> &'static str {
            format!("/jaeger.api_{version}.QueryService/{method}").leak()
        };
        let services: Services = client.call(path("GetServices"), Empty {}, None).unwrap();
        assert_eq!(services.services, ["cart", "frontend", "mail / <out>"]);

        let of_day = GetDependencies {
            start_time: Some(timestamp(1_759_968_000_000_000_000)),
            end_time: Some(timestamp(1_760_054_400_000_000_000)),
        };
        let calls: Dependencies = client.call(path("GetDependencies"), of_day, None).unwrap();
        let edges: Vec<_> = calls
            .dependencies
            .iter()
            .map(|edge| (edge.parent.as_str(), edge.child.as_str(), edge.call_count))
            .collect();
        assert_eq!(edges, [("frontend", "cart", 1)]);
        let status = client
            .call::<_, Dependencies>(path("GetDependencies"), GetDependencies::default(), None)
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }

    let servers = GetOperations {
        service: "frontend".to_owned(),
        span_kind: "server".to_owned(),
    };
    let path = "/jaeger.api_v3.QueryService/GetOperations";
    let found: OperationsV3 = client.call(path, servers.clone(), None).unwrap();
    assert_eq!(found.operations[0].name, "GET /checkout");
    assert_eq!(found.operations[0].span_kind, "server");
    assert_eq!(found.operations.len(), 1);
    let path = "/jaeger.api_v2.QueryService/GetOperations";
    let found: OperationsV2 = client.call(path, servers, None).unwrap();
    assert_eq!(found.operation_names, ["GET /checkout"]);
    assert_eq!(found.operations.len(), 1);
}

#[test]
fn a_large_trace_comes_in_messages_that_clients_take() {
    let server = Backtrail::start();
    let otlp_grpc = GrpcClient::connect(server.address("otlp-grpc"));
    let sent = otlp::larger_than(5 << 20);
    otlp_grpc.export(sent.clone(), None).unwrap();
    let client = GrpcClient::connect(server.address("jaeger-query-grpc"));

    let found: Streamed<TracesData> = client
        .stream(V3_GET, tonic::Request::new(by_id("1")))
        .unwrap();
    assert!(found.messages.len() > 3);
    let largest = found
        .messages
        .iter()
        .map(Message::encoded_len)
        .max()
        .unwrap();
    assert!(largest < (2 << 20), "{largest}");
    let sent = &sent.resource_spans[0].scope_spans[0].spans;
    assert_eq!(spans(&found.messages), sent.iter().collect::<Vec<_>>());
    assert!(!found.trailers.contains_key("backtrail-truncated"));

    let request = tonic::Request::new(GetTraceV2 {
        trace_id: 1_u128.to_be_bytes().to_vec(),
    });
    let found: Streamed<Spans> = client.stream(V2_GET, request).unwrap();
    let largest = found
        .messages
        .iter()
        .map(Message::encoded_len)
        .max()
        .unwrap();
    assert!(largest < (2 << 20), "{largest}");
    let count: usize = found.messages.iter().map(|chunk| chunk.spans.len()).sum();
    assert_eq!(count, sent.len());
}

#[test]
fn what_can_not_be_answered_says_why() {
    let (server, client) = shop();
    let v3 = |id| {
        let found = client.stream::<_, TracesData>(V3_GET, tonic::Request::new(by_id(id)));
        found.err().unwrap()
    };
    assert_eq!(v3("77").code(), Code::NotFound);
    assert_eq!(v3("77").message(), "trace not found");
    assert_eq!(v3("xyz").code(), Code::InvalidArgument);

    let find = |query: TraceQueryParameters| {
        let of_v2 = client.stream::<_, Spans>(V2_FIND, request(query.clone()));
        let of_v3 = client.stream::<_, TracesData>(V3_FIND, request(query));
        [of_v2.err(), of_v3.err()].map(|status| {
            let status = status.unwrap();
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
            status.message().to_owned()
        })
    };
    let backwards = TraceQueryParameters {
        start_time_min: Some(timestamp(2)),
        start_time_max: Some(timestamp(1)),
        ..TraceQueryParameters::default()
    };
    find(backwards);
    for search_depth in [-1, 10_001] {
        let messages = find(TraceQueryParameters {
            search_depth,
            ..TraceQueryParameters::default()
        });
        assert!(
            messages[0].contains(&search_depth.to_string()),
            "{messages:?}"
        );
    }
    find(TraceQueryParameters {
        filter: Some(Empty {}),
        ..TraceQueryParameters::default()
    });

    let archive = "/jaeger.api_v2.QueryService/ArchiveTrace";
    let status = client
        .call::<_, Empty>(archive, Empty {}, None)
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let other = "/jaeger.api_v2.metrics.MetricsQueryService/GetErrorRates";
    let status = client.call::<_, Empty>(other, Empty {}, None).unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(
        status.message().contains("jaeger.api_v3.QueryService"),
        "{status}"
    );

    let reply = post(&server.url("jaeger-query-grpc", "/api/traces"), &[], b"");
    assert_eq!(reply.status, 415);
    assert!(reply.text().contains("16686"), "{reply:?}");
}

#[test]
fn a_deadline_is_kept() {
    let server = Backtrail::start();
    let (code, text) = call_that_stalls(server.address("jaeger-query-grpc"), V3_GET);
    assert_eq!(code, Code::DeadlineExceeded as i32, "{text}");
}

#[test]
fn health_knows_the_services_and_metrics_their_calls() {
    let (server, client) = shop();
    let mut health = HealthClient::new(client.channel());
    for service in [
        "",
        "jaeger.api_v3.QueryService",
        "jaeger.api_v3.Capabilities",
        "jaeger.api_v2.QueryService",
    ] {
        let service = service.to_owned();
        let reply = client
            .block_on(health.check(HealthCheckRequest { service }))
            .unwrap();
        assert_eq!(reply.into_inner().status(), ServingStatus::Serving);
    }
    let _: Services = client
        .call("/jaeger.api_v3.QueryService/GetServices", Empty {}, None)
        .unwrap();
    let (_, metrics) = server.get("/metrics");
    assert!(
        metrics.contains("/jaeger.api_v3.QueryService/GetServices"),
        "{metrics}"
    );
}
