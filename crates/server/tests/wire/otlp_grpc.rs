//! `TraceService/Export`, health and reflection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, Version};
use http_body::Body;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::net::TcpStream;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::otlp_http::{gzip, zstd};
use crate::running::grpc::{GrpcClient, retry_seconds};
use crate::running::{Backtrail, Start, otlp};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn client(server: &Backtrail) -> GrpcClient {
    GrpcClient::connect(server.address("otlp-grpc"))
}

/// An export by hand: these bytes as body, these headers; status and message.
fn call(
    server: &Backtrail,
    headers: &[(&'static str, &'static str)],
    body: Vec<u8>,
) -> (i32, String) {
    let address = server.address("otlp-grpc");
    call_by_hand(address, EXPORT, headers, Full::new(Bytes::from(body)))
}

/// Any call by hand.
pub(crate) fn call_by_hand(
    address: SocketAddr,
    path: &'static str,
    headers: &[(&'static str, &'static str)],
    body: impl Body<Data = Bytes, Error = Infallible> + Unpin + Send + 'static,
) -> (i32, String) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let headers: Arc<[_]> = headers.into();
    runtime.block_on(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        tokio::spawn(connection);
        let mut request = Request::post(format!("http://{address}{path}"))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers.iter() {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let reply = sender.send_request(request).await.unwrap();
        let (parts, body) = reply.into_parts();
        let trailers = body.collect().await.unwrap().trailers().cloned();
        status(&parts.headers)
            .or_else(|| status(&trailers?))
            .unwrap()
    })
}

/// A call with a deadline whose request never comes to its end.
pub(crate) fn call_that_stalls(address: SocketAddr, path: &'static str) -> (i32, String) {
    let body = StreamBody::new(futures_util::stream::pending());
    call_by_hand(address, path, &[("grpc-timeout", "50m")], body)
}

fn status(headers: &HeaderMap) -> Option<(i32, String)> {
    let code = headers.get("grpc-status")?.to_str().unwrap();
    let message = headers
        .get("grpc-message")
        .map_or("", |message| message.to_str().unwrap());
    Some((code.parse().unwrap(), message.replace("%20", " ")))
}

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    bytes.put_u8(flag);
    bytes.put_u32(message.len() as u32);
    bytes.extend_from_slice(message);
    bytes.to_vec()
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
        let reply = client.export(otlp::trace(trace, 500), compression).unwrap();
        assert_eq!(reply, ExportTraceServiceResponse::default());
    }
    client.export(otlp::request(Vec::new()), None).unwrap();
    assert_eq!(server.metric("backtrail_memtable_spans"), 1500);
}

#[test]
fn good_spans_are_kept_and_the_others_counted() {
    let server = Backtrail::start();
    let mut spans: Vec<_> = (1..=3).map(|id| otlp::span(1, id)).collect();
    spans[1].span_id.clear();
    let reply = client(&server).export(otlp::request(spans), None).unwrap();
    let partial = reply.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(
        partial.error_message.starts_with(
            "1 span rejected (1 invalid_span_id): resourceSpans[0].scopeSpans[0].spans[1]: "
        ),
        "{}",
        partial.error_message
    );
    assert_eq!(server.metric("backtrail_memtable_spans"), 2);
}

#[test]
fn what_can_not_be_read_is_an_invalid_argument_that_says_why() {
    let server = Backtrail::start();
    let whole = otlp::trace(1, 5).encode_to_vec();
    let gzip_header = ("grpc-encoding", "gzip");
    let announced_more = [&framed(0, &whole)[..], b"rest"].concat();
    for (name, headers, body, expected) in [
        ("no message", vec![], vec![], "the call has no message"),
        (
            "truncated frame",
            vec![],
            framed(0, &whole)[..50].to_vec(),
            "and 45 bytes came",
        ),
        ("two messages", vec![], announced_more, "bytes came"),
        (
            "truncated message",
            vec![],
            framed(0, &whole[..whole.len() - 1]),
            "not an ExportTraceServiceRequest",
        ),
        (
            "unknown flag",
            vec![],
            framed(7, &whole),
            "the message begins with flag 7",
        ),
        (
            "flag without encoding",
            vec![],
            framed(1, &gzip(&whole)),
            "there is no grpc-encoding",
        ),
        (
            "text as gzip",
            vec![gzip_header],
            framed(1, b"text"),
            "body is not valid",
        ),
    ] {
        let (code, message) = call(&server, &headers, body);
        assert_eq!(code, Code::InvalidArgument as i32, "{name}: {message}");
        assert!(message.contains(expected), "{name}: {message}");
    }
    // A client may name an encoding and still send a message as it is.
    assert_eq!(call(&server, &[gzip_header], framed(0, &whole)).0, 0);
    assert_eq!(server.metric("backtrail_memtable_spans"), 5);
}

#[test]
fn an_unknown_encoding_is_unimplemented() {
    let server = Backtrail::start();
    let (code, message) = call(&server, &[("grpc-encoding", "snappy")], framed(1, b"x"));
    assert_eq!(code, Code::Unimplemented as i32);
    assert!(message.contains("snappy"), "{message}");
}

#[test]
fn a_message_over_the_limit_is_refused_for_good() {
    let server = Backtrail::start();
    let status = client(&server)
        .export(otlp::larger_than(17 << 20), None)
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status
            .message()
            .contains("larger than 16777216 bytes on the wire (limits.grpc_max_message_bytes)"),
        "{status}"
    );
    // Without a time to retry, clients drop the batch rather than send it for ever.
    assert_eq!(retry_seconds(&status), None);

    let server = Start::new()
        .arg("--limits-grpc-max-message-bytes=32MiB")
        .start();
    let request = otlp::larger_than(17 << 20);
    client(&server).export(request, None).unwrap();
}

#[test]
fn a_bomb_is_refused_when_it_goes_off() {
    let server = Backtrail::start();
    let zeros = vec![0; 256 << 20];
    for (encoding, bomb) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
        let (code, message) = call(&server, &[("grpc-encoding", encoding)], framed(1, &bomb));
        assert_eq!(code, Code::ResourceExhausted as i32);
        assert!(
            message.contains("67108864 bytes after decompression"),
            "{message}"
        );
    }
    assert!(server.metric("process_resident_memory_bytes") < (300 << 20));
}

#[test]
fn an_unknown_method_says_where_to_go() {
    let server = Backtrail::start();
    let client = client(&server);
    for (path, expected) in [
        (
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
            "OTLP is sent to opentelemetry.proto.collector.trace.v1.TraceService, ",
        ),
        (
            "/other.Service/Call",
            "there is no /other.Service/Call here",
        ),
    ] {
        let status = client
            .call::<_, ExportTraceServiceResponse>(path, otlp::request(Vec::new()), None)
            .unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains(expected), "{status}");
    }
}

#[test]
fn the_two_otlp_ports_tell_each_other_apart() {
    let server = Backtrail::start();
    let status = GrpcClient::connect(server.address("otlp-http"))
        .export(otlp::trace(1, 1), None)
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("4317"), "{status}");

    let body = otlp::trace(1, 1).encode_to_vec();
    let url = server.url("otlp-grpc", "/v1/traces");
    let kind = ("Content-Type", "application/x-protobuf");
    let reply = crate::running::post(&url, &[kind], &body);
    assert_eq!(reply.status, 415);
    assert!(reply.text().contains("4318"), "{reply:?}");
}

#[test]
fn health_is_told_and_watched_until_the_end() {
    let mut server = Backtrail::start();
    let client = client(&server);
    let mut health = HealthClient::new(client.channel());
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in ["", "opentelemetry.proto.collector.trace.v1.TraceService"] {
        let reply = client.block_on(health.check(of(service))).unwrap();
        assert_eq!(reply.into_inner().status(), ServingStatus::Serving);
    }
    let unknown = client.block_on(health.check(of("other"))).unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut watched = client.block_on(health.watch(of(""))).unwrap().into_inner();
    let mut next = || client.block_on(watched.message()).ok().flatten();
    assert_eq!(next().unwrap().status(), ServingStatus::Serving);
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    assert_eq!(next().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(next(), None);
}

#[test]
fn reflection_describes_the_service_in_both_versions() {
    use tonic_reflection::pb::{v1, v1alpha};
    let server = Backtrail::start();
    let client = client(&server);
    let symbol = "opentelemetry.proto.collector.trace.v1.TraceService";
    macro_rules! describe {
        ($version:ident) => {{
            use $version::server_reflection_request::MessageRequest;
            use $version::server_reflection_response::MessageResponse;
            let requests = [
                MessageRequest::ListServices(String::new()),
                MessageRequest::FileContainingSymbol(symbol.to_owned()),
            ]
            .map(|message| $version::ServerReflectionRequest {
                message_request: Some(message),
                ..Default::default()
            });
            let mut reflection =
                $version::server_reflection_client::ServerReflectionClient::new(client.channel());
            client.block_on(async move {
                let replies = reflection
                    .server_reflection_info(futures_util::stream::iter(requests))
                    .await
                    .unwrap();
                let mut replies = replies.into_inner();
                let Some(MessageResponse::ListServicesResponse(list)) =
                    replies.message().await.unwrap().unwrap().message_response
                else {
                    panic!("no list");
                };
                let names: Vec<_> = list
                    .service
                    .into_iter()
                    .map(|service| service.name)
                    .collect();
                assert!(names.iter().any(|name| name == symbol), "{names:?}");
                assert!(names.iter().any(|name| name == "grpc.health.v1.Health"));
                let Some(MessageResponse::FileDescriptorResponse(files)) =
                    replies.message().await.unwrap().unwrap().message_response
                else {
                    panic!("no descriptor");
                };
                assert!(!files.file_descriptor_proto.is_empty());
            });
        }};
    }
    describe!(v1);
    describe!(v1alpha);
}

#[test]
fn a_deadline_is_kept() {
    let server = Backtrail::start();
    let (code, text) = call_that_stalls(server.address("otlp-grpc"), EXPORT);
    assert_eq!(code, Code::DeadlineExceeded as i32, "{text}");
    let cancelled = r#"backtrail_requests_total{protocol="otlp_grpc",status="cancelled"}"#;
    assert_eq!(server.metric(cancelled), 1);
    let message = framed(0, &otlp::trace(1, 1).encode_to_vec());
    let export = |timeout| call(&server, &[("grpc-timeout", timeout)], message.clone());
    assert_eq!(export("30S").0, Code::Ok as i32);
    let (code, text) = export("1 minute");
    assert_eq!(code, Code::InvalidArgument as i32, "{text}");
}
