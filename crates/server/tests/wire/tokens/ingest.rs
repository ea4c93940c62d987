//! What a token with the scope `ingest` closes, and what it opens.

use std::net::UdpSocket;

use prost::Message;
use serde_json::{Value, json};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Closed, STRANGER, basic, bearer};
use crate::running::grpc::GrpcClient;
use crate::running::jaeger_proto::{self, PostSpansResponse};
use crate::running::otlp::RpcStatus;
use crate::running::{jaeger, otlp};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const POST_SPANS: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const STRATEGY: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// A call with an `authorization`.
type Call<'a> = &'a dyn Fn(Option<&str>) -> Result<(), tonic::Status>;

/// Ways to send over HTTP: listener, path, content type, body, status of success.
fn ways() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>, u16)> {
    let protobuf = otlp::trace(1, 1).encode_to_vec();
    let zipkin = br#"[{"traceId":"000000000000000a","id":"000000000000000b"}]"#.to_vec();
    let json = "application/json";
    vec![
        (
            "otlp-http",
            "/v1/traces",
            "application/x-protobuf",
            protobuf,
            200,
        ),
        ("otlp-http", "/v1/traces", json, otlp::trace_json(2, 1), 200),
        ("otlp-http", "/v1/logs", json, b"{}".to_vec(), 200),
        ("otlp-http", "/v1/metrics", json, b"{}".to_vec(), 200),
        (
            "jaeger-http",
            "/api/traces",
            "application/x-thrift",
            jaeger::binary("shop", 3, 1),
            202,
        ),
        ("zipkin", "/api/v2/spans", json, zipkin, 202),
        ("zipkin", "/api/v1/spans", json, b"[]".to_vec(), 202),
    ]
}

#[test]
fn as_soon_as_a_token_may_send_sending_needs_one() {
    let closed = Closed::with(&["ingest", "read"]);
    let (sender, reader) = (closed.bearer("ingest"), closed.bearer("read"));
    for (listener, path, kind, body, success) in ways() {
        let post =
            |authorization: Option<&str>| closed.post(authorization, listener, path, kind, &body);
        for authorization in [None, Some(bearer(STRANGER)), Some("Digest x".to_owned())] {
            let reply = post(authorization.as_deref());
            assert_eq!(reply.status, 401, "{path}: {}", reply.text());
            let challenge = reply.header("WWW-Authenticate");
            assert!(
                challenge.starts_with(r#"Bearer realm="backtrail", scope="ingest""#),
                "{challenge}"
            );
        }
        let wrong = post(Some(&reader));
        assert_eq!(wrong.status, 403, "{path}");
        let challenge = wrong.header("WWW-Authenticate");
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
        let text = String::from_utf8_lossy(&wrong.body).into_owned();
        assert!(text.contains("has no scope ingest"), "{path}: {text}");
        for right in [&sender, &basic(closed.token("ingest"))] {
            let reply = post(Some(right));
            assert_eq!(reply.status, success, "{path}: {}", reply.text());
        }
    }
    let denied = |listener: &str, reason: &str| {
        let sample = format!(
            r#"backtrail_denied_requests_total{{listener="{listener}",reason="{reason}"}}"#
        );
        closed.metric(&reader, &sample)
    };
    assert_eq!(denied("otlp-http", "no_token"), 4);
    assert_eq!(denied("jaeger-http", "unknown_token"), 1);
    assert_eq!(denied("zipkin", "malformed_token"), 2);
    assert_eq!(denied("zipkin", "wrong_scope"), 2);
    assert_eq!(denied("web", "no_token"), 0);
}

#[test]
fn otlp_over_http_says_so_as_a_status_in_the_format_of_the_request() {
    let closed = Closed::with(&["ingest"]);
    let post = |kind| closed.post(None, "otlp-http", "/v1/traces", kind, b"");
    let reply = post("application/x-protobuf");
    assert_eq!(reply.header("Content-Type"), "application/x-protobuf");
    let status = RpcStatus::decode(reply.body.as_slice()).unwrap();
    assert_eq!(status.code, Code::Unauthenticated as i32);
    assert!(
        status.message.contains("scope ingest"),
        "{}",
        status.message
    );
    let reply = post("application/json");
    let status: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(status["code"], Code::Unauthenticated as i32);
}

#[test]
fn a_browser_can_read_why_its_spans_were_denied() {
    let closed = Closed::with(&["ingest"]);
    let url = closed.server.url("otlp-http", "/v1/traces");
    let headers = [
        ("Content-Type", "application/json"),
        ("Origin", "https://shop.example"),
    ];
    let reply = crate::running::post(&url, &headers, b"{}");
    assert_eq!(reply.status, 401);
    let allowed = reply.header("Access-Control-Allow-Origin");
    assert_eq!(allowed, "https://shop.example");
}

#[test]
fn grpc_takes_the_token_in_its_metadata() {
    let closed = Closed::with(&["ingest", "read"]);
    let (sender, reader) = (closed.bearer("ingest"), closed.bearer("read"));
    let stranger = bearer(STRANGER);
    let otlp_client = GrpcClient::connect(closed.server.address("otlp-grpc"));
    let jaeger_client = GrpcClient::connect(closed.server.address("jaeger-grpc"));
    let export = |authorization: Option<&str>| {
        let call = otlp_client.call_as(authorization, EXPORT, otlp::trace(1, 2));
        call.map(
            |_: opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse| (),
        )
    };
    let post_spans = |authorization: Option<&str>| {
        let request = jaeger_proto::request("shop", 2, 2);
        let call = jaeger_client.call_as(authorization, POST_SPANS, request);
        call.map(|_: PostSpansResponse| ())
    };
    let strategy = |authorization: Option<&str>| {
        let call = jaeger_client.call_as(authorization, STRATEGY, PostSpansResponse {});
        call.map(|_: PostSpansResponse| ())
    };
    let calls: [Call<'_>; 3] = [&export, &post_spans, &strategy];
    for call in calls {
        for missing in [None, Some(stranger.as_str())] {
            let status = call(missing).unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{status}");
            assert!(status.message().contains("scope ingest"), "{status}");
        }
        let status = call(Some(&reader)).unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        assert!(status.message().contains("no scope ingest"), "{status}");
        call(Some(&sender)).unwrap();
        call(Some(&basic(closed.token("ingest")))).unwrap();
    }
}

#[test]
fn health_and_reflection_stay_open() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_request::MessageRequest,
    };

    let closed = Closed::with(&["ingest", "read"]);
    for listener in ["otlp-grpc", "jaeger-grpc", "jaeger-query-grpc"] {
        let client = GrpcClient::connect(closed.server.address(listener));
        let request = HealthCheckRequest::default();
        let mut health = HealthClient::new(client.channel());
        let reply = client.block_on(health.check(request)).unwrap().into_inner();
        assert_eq!(reply.status(), ServingStatus::Serving, "{listener}");
        let request = ServerReflectionRequest {
            message_request: Some(MessageRequest::ListServices(String::new())),
            ..ServerReflectionRequest::default()
        };
        let mut reflection = ServerReflectionClient::new(client.channel());
        let requests = futures_util::stream::iter([request]);
        let mut replies = client
            .block_on(reflection.server_reflection_info(requests))
            .unwrap()
            .into_inner();
        let reply = client.block_on(replies.message()).unwrap();
        assert!(reply.is_some(), "{listener}");
    }
}

#[test]
fn what_jaegers_agent_serves_stays_open_on_loopback() {
    let closed = Closed::with(&["ingest"]);
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    let datagram =
        jaeger::strict_message("emitBatch", jaeger::ONE_WAY, &jaeger::binary("shop", 1, 3));
    let to = closed.server.address("jaeger-agent-binary");
    from.send_to(&datagram, to).unwrap();
    closed.server.eventually("backtrail_memtable_spans", 3);
    closed.server.eventually_logs("datagrams carry none");
    let sampling = closed.get(None, "jaeger-sampling", "/sampling?service=shop");
    assert_eq!(sampling.status, 200);
    let collector = closed.get(None, "jaeger-http", "/api/sampling?service=shop");
    assert_eq!(collector.status, 401);
    let sender = closed.bearer("ingest");
    let collector = closed.get(Some(&sender), "jaeger-http", "/api/sampling?service=shop");
    assert_eq!(collector.status, 200);
}

#[test]
fn an_ingest_token_leaves_reading_and_deleting_open() {
    let closed = Closed::with(&["ingest"]);
    assert_eq!(closed.get(None, "web", "/api/v1/services").status, 200);
    assert_eq!(closed.get(None, "web", "/metrics").status, 200);
    assert_eq!(closed.get(None, "zipkin", "/api/v2/services").status, 200);
    assert_eq!(closed.delete(None, "/api/v1/traces/7").status, 200);
}

#[test]
fn an_upload_token_leaves_sending_and_reading_open() {
    let closed = Closed::with(&["upload"]);
    for (listener, path, kind, body, success) in ways() {
        // A client that sends a token of somebody else's is not turned away either.
        for authorization in [None, Some(bearer(STRANGER))] {
            let reply = closed.post(authorization.as_deref(), listener, path, kind, &body);
            assert_eq!(reply.status, success, "{path}: {}", reply.text());
        }
    }
    assert_eq!(closed.get(None, "web", "/api/v1/services").status, 200);
    assert_eq!(closed.get(None, "web", "/metrics").status, 200);
    assert_eq!(closed.delete(None, "/api/v1/traces/7").status, 200);
    let session = closed.get(None, "web", "/api/v1/session").text();
    let session: Value = serde_json::from_str(&session).unwrap();
    assert_eq!(session, json!({"needs_token": false, "token": null}));
}

#[test]
fn an_admin_token_closes_deleting_alone_and_opens_everything() {
    let closed = Closed::with(&["admin", "ingest"]);
    assert_eq!(closed.get(None, "web", "/api/v1/services").status, 200);
    assert_eq!(closed.delete(None, "/api/v1/traces/7").status, 401);
    let sender = closed.bearer("ingest");
    assert_eq!(closed.delete(Some(&sender), "/api/v1/traces/7").status, 403);
    let admin = closed.bearer("admin");
    assert_eq!(closed.delete(Some(&admin), "/api/v1/traces/7").status, 200);
    let json = "application/json";
    let reply = closed.post(Some(&admin), "otlp-http", "/v1/traces", json, b"{}");
    assert_eq!(reply.status, 200);
}
