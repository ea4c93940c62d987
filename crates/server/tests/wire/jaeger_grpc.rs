//! `CollectorService/PostSpans` on Jaeger's gRPC port.

use serde_json::{Value, json};
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::running::grpc::{GrpcClient, retry_seconds};
use crate::running::jaeger_model::Process;
use crate::running::jaeger_proto::{PostSpansResponse, post_spans, request};
use crate::running::jaeger_query::{GetTraceV2, Spans};
use crate::running::{Backtrail, Start, otlp};

fn client(server: &Backtrail) -> GrpcClient {
    GrpcClient::connect(server.address("jaeger-grpc"))
}

#[test]
fn each_compression_is_taken() {
    let server = Backtrail::start();
    let client = client(&server);
    for (trace, compression) in (1..).zip([
        None,
        Some(CompressionEncoding::Gzip),
        Some(CompressionEncoding::Zstd),
    ]) {
        let reply = post_spans(&client, request("shop", trace, 500), compression).unwrap();
        assert_eq!(reply, PostSpansResponse {});
    }
    post_spans(&client, request("shop", 1, 0), None).unwrap();
    assert_eq!(server.metric("backtrail_memtable_spans"), 1500);
    let ok = r#"backtrail_requests_total{protocol="jaeger_grpc",status="ok"}"#;
    assert_eq!(server.metric(ok), 4);
}

#[test]
fn a_process_of_a_span_is_another_service() {
    let server = Backtrail::start();
    let mut request = request("shop", 1, 3);
    request.batch.as_mut().unwrap().spans[1].process = Some(Process {
        service_name: "bank".to_owned(),
        tags: Vec::new(),
    });
    post_spans(&client(&server), request, None).unwrap();
    let (_, services) = server.get("/api/v1/services");
    assert_eq!(services, r#"{"services":["bank","shop"]}"#);
}

#[test]
fn warnings_are_kept_and_told_by_every_api() {
    let server = Backtrail::start();
    let mut request = request("shop", 1, 1);
    let warnings = ["too many tags".to_owned(), "clock skew".to_owned()];
    request.batch.as_mut().unwrap().spans[0].warnings = warnings.to_vec();
    post_spans(&client(&server), request, None).unwrap();

    let json = |path: &str| -> Value { serde_json::from_str(&server.get(path).1).unwrap() };
    let of_v1 = json("/api/traces/1");
    assert_eq!(of_v1["data"][0]["spans"][0]["warnings"], json!(warnings));
    assert_eq!(of_v1["data"][0]["spans"][0]["tags"], json!([]));
    let query = GrpcClient::connect(server.address("jaeger-query-grpc"));
    let by_id = tonic::Request::new(GetTraceV2 {
        trace_id: 1_u128.to_be_bytes().to_vec(),
    });
    let path = "/jaeger.api_v2.QueryService/GetTrace";
    let of_v2 = query.stream::<_, Spans>(path, by_id).unwrap();
    assert_eq!(of_v2.messages[0].spans[0].warnings, warnings);
    assert!(of_v2.messages[0].spans[0].tags.is_empty());
    // OTLP has no field for them, and Jaeger keeps them so.
    let of_v3 = json("/api/v3/traces/1");
    let attributes = "/result/resourceSpans/0/scopeSpans/0/spans/0/attributes";
    assert_eq!(
        of_v3.pointer(attributes),
        Some(&json!([{
            "key": "@jaeger@warnings",
            "value": { "arrayValue": { "values": warnings.map(|text| json!({ "stringValue": text })) } },
        }]))
    );
}

#[test]
fn good_spans_are_kept_and_a_call_without_any_is_an_invalid_argument() {
    let server = Backtrail::start();
    let client = client(&server);
    let mut one_bad = request("shop", 1, 3);
    one_bad.batch.as_mut().unwrap().spans[1].span_id = vec![0; 8];
    post_spans(&client, one_bad, None).unwrap();
    assert_eq!(server.metric("backtrail_memtable_spans"), 2);
    let rejected =
        r#"backtrail_spans_rejected_total{protocol="jaeger_grpc",reason="invalid_span_id"}"#;
    assert_eq!(server.metric(rejected), 1);

    let status = post_spans(&client, request("shop", 0, 3), None).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status
            .message()
            .starts_with("3 spans rejected (3 invalid_trace_id): spans[0]: "),
        "{status}"
    );
}

#[test]
fn what_can_not_be_taken_says_why_and_when_to_come_back() {
    let server = Backtrail::start();
    // Field 1 of an OTLP request is a message too, whose field 1 is the resource: no span of Jaeger's.
    let status = client(&server)
        .call::<_, PostSpansResponse>(
            "/jaeger.api_v2.CollectorService/PostSpans",
            prost_types::Timestamp {
                seconds: 1,
                nanos: 1,
            },
            None,
        )
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status
            .message()
            .contains("not a PostSpansRequest: at byte 0"),
        "{status}"
    );

    let status = client(&server)
        .call::<_, PostSpansResponse>("/jaeger.api_v2.Other/Call", otlp::trace(1, 1), None)
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(
        status
            .message()
            .contains("spans are sent to jaeger.api_v2.CollectorService"),
        "{status}"
    );

    let full = Start::new().arg("--storage-min-free-bytes=1000TiB").start();
    let status = post_spans(&client(&full), request("shop", 1, 3), None).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(retry_seconds(&status), Some(5));

    let small = Start::new()
        .arg("--limits-grpc-max-message-bytes=1KiB")
        .start();
    let status = post_spans(&client(&small), request("shop", 1, 500), None).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().contains("limits.grpc_max_message_bytes"),
        "{status}"
    );

    let url = server.url("jaeger-grpc", "/api/traces");
    let reply = crate::running::post(&url, &[("Content-Type", "application/x-thrift")], b"");
    assert_eq!(reply.status, 415);
    assert!(reply.text().contains("14268"), "{reply:?}");
}

#[test]
fn health_knows_both_services() {
    let server = Backtrail::start();
    let client = client(&server);
    let mut health = HealthClient::new(client.channel());
    for service in [
        "",
        "jaeger.api_v2.CollectorService",
        "jaeger.api_v2.SamplingManager",
    ] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let reply = client.block_on(health.check(request)).unwrap();
        assert_eq!(
            reply.into_inner().status(),
            ServingStatus::Serving,
            "{service}"
        );
    }
}

#[test]
fn reflection_lists_both_services_and_describes_them() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
    let server = Backtrail::start();
    let client = client(&server);
    let questions = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol("jaeger.api_v2.CollectorService".to_owned()),
    ]
    .map(|message| ServerReflectionRequest {
        message_request: Some(message),
        ..ServerReflectionRequest::default()
    });
    let mut reflection = ServerReflectionClient::new(client.channel());
    let answers: Vec<ServerReflectionResponse> = client.block_on(async move {
        let stream = futures_util::stream::iter(questions);
        let mut replies = reflection
            .server_reflection_info(stream)
            .await
            .unwrap()
            .into_inner();
        let mut answers = Vec::new();
        while let Some(answer) = replies.message().await.unwrap() {
            answers.push(answer);
        }
        answers
    });
    let Some(MessageResponse::ListServicesResponse(list)) = &answers[0].message_response else {
        panic!("{answers:?}");
    };
    let names: Vec<&str> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    for name in [
        "jaeger.api_v2.CollectorService",
        "jaeger.api_v2.SamplingManager",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let Some(MessageResponse::FileDescriptorResponse(files)) = &answers[1].message_response else {
        panic!("{answers:?}");
    };
    assert!(!files.file_descriptor_proto.is_empty());
}
