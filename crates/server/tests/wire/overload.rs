//! More than can be taken in: every protocol says so at once, and when to come again.

use std::time::Duration;

use prost::Message;
use tonic::Code;

use crate::running::grpc::{GrpcClient, retry_seconds};
use crate::running::jaeger_proto::{self, post_spans};
use crate::running::{Backtrail, RawConnection, Start, jaeger, otlp, post};

/// Takes 64 KiB on their way, of which a stalled request holds 60.
fn full_server() -> (Backtrail, RawConnection) {
    let server = Start::new()
        .arg("--limits-max-in-flight-bytes=64KiB")
        .arg("--limits-max-body-bytes=64KiB")
        .arg("--limits-max-inflated-bytes=64KiB")
        .arg("--limits-max-span-bytes=64KiB")
        .arg("--limits-grpc-max-message-bytes=64KiB")
        .start();
    let mut stalled = RawConnection::open(server.address("otlp-http"));
    stalled.send(
        b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 65536\r\n\r\n",
    );
    stalled.send(&vec![0; 60 << 10]);
    while server.metric("backtrail_in_flight_bytes") < (60 << 10) {
        std::thread::sleep(Duration::from_millis(5));
    }
    (server, stalled)
}

#[test]
fn a_full_queue_answers_at_once_with_a_time_to_retry() {
    let (server, stalled) = full_server();
    let request = otlp::larger_than(8 << 10);

    let url = server.url("otlp-http", "/v1/traces");
    let kind = ("Content-Type", "application/x-protobuf");
    let reply = post(&url, &[kind], &request.encode_to_vec());
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));
    let status = otlp::RpcStatus::decode(reply.body.as_slice()).unwrap();
    assert_eq!(status.code, Code::ResourceExhausted as i32);

    let grpc = GrpcClient::connect(server.address("otlp-grpc"));
    let status = grpc.export(request.clone(), None).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(retry_seconds(&status), Some(1));

    let url = server.url("jaeger-http", "/api/traces");
    let kind = ("Content-Type", "application/x-thrift");
    let reply = post(&url, &[kind], &jaeger::binary("shop", 1, 200));
    assert_eq!((reply.status, reply.header("retry-after")), (429, "1"));

    let jaeger = GrpcClient::connect(server.address("jaeger-grpc"));
    let status = post_spans(&jaeger, jaeger_proto::request("shop", 1, 300), None).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(retry_seconds(&status), Some(1));

    for protocol in [
        "otlp_http_protobuf",
        "otlp_grpc",
        "jaeger_http",
        "jaeger_grpc",
    ] {
        let refused =
            format!(r#"backtrail_requests_total{{protocol="{protocol}",status="overloaded"}}"#);
        assert_eq!(server.metric(&refused), 1, "{protocol}");
    }

    // Small requests still find room, and when the stalled one is gone so do the others.
    grpc.export(otlp::trace(2, 1), None).unwrap();
    drop(stalled);
    while server.metric("backtrail_in_flight_bytes") > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    grpc.export(request, None).unwrap();
}

#[test]
fn a_disk_without_room_is_said_and_nothing_is_kept() {
    let server = Start::new().arg("--storage-min-free-bytes=1000TiB").start();
    let body = otlp::trace(1, 5).encode_to_vec();
    let kind = ("Content-Type", "application/x-protobuf");
    let reply = post(&server.url("otlp-http", "/v1/traces"), &[kind], &body);
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
    let status = otlp::RpcStatus::decode(reply.body.as_slice()).unwrap();
    assert_eq!(status.code, Code::Unavailable as i32);
    assert!(
        status.message.contains("the disk is almost full"),
        "{}",
        status.message
    );

    let grpc = GrpcClient::connect(server.address("otlp-grpc"));
    let status = grpc.export(otlp::trace(1, 5), None).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(retry_seconds(&status), Some(5));
    assert_eq!(server.metric("backtrail_memtable_spans"), 0);

    // Whoever spreads requests over servers looks here; a restart would not help, so we are healthy.
    let (status, reason) = server.get("/readyz");
    assert_eq!(status, 503);
    assert!(reason.contains("the disk is almost full"), "{reason}");
    assert_eq!(server.get("/healthz").0, 200);
}

#[test]
fn a_request_that_would_take_far_more_memory_than_bytes_is_too_large() {
    // Two bytes an event, and one event more than is allowed.
    let events = b"\x5a\x00".repeat((2 << 20) + 1);
    let request = [18, 18, 10].into_iter().fold(events, |inner, tag| {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(inner.len() as u64, &mut outer);
        outer.extend(inner);
        outer
    });
    let server = Start::new().start();
    let kind = ("Content-Type", "application/x-protobuf");
    let reply = post(&server.url("otlp-http", "/v1/traces"), &[kind], &request);
    assert_eq!(reply.status, 413);
    let status = otlp::RpcStatus::decode(reply.body.as_slice()).unwrap();
    assert_eq!(
        status.message,
        "2097153 events in one request, over the limit of 2097152; send smaller batches"
    );
    let too_large = r#"backtrail_requests_total{protocol="otlp_http_protobuf",status="too_large"}"#;
    assert_eq!(server.metric(too_large), 1);
}

#[test]
fn connections_over_the_limit_wait_until_another_ends() {
    let server = Start::new().arg("--limits-max-connections=2").start();
    let address = server.address("otlp-http");
    let ask = |connection: &mut RawConnection| {
        connection.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    };
    let held: Vec<_> = (0..2).map(|_| RawConnection::open(address)).collect();
    let mut third = RawConnection::open(address);
    ask(&mut third);
    assert!(!third.answers_within(Duration::from_millis(300)));

    drop(held);
    let reply = third.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 404"), "{reply}");
}
