//! `POST /v1/traces`.

use std::io::Write;

use prost::Message;

use crate::running::otlp::{self, RpcStatus, partial_success};
use crate::running::{Backtrail, RawConnection, Reply, Start, agent, post};

const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn export(server: &Backtrail, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    post(&server.url("otlp-http", "/v1/traces"), headers, body)
}

/// The message of an error in either encoding; its code fits the status.
fn message(reply: &Reply) -> String {
    match reply.header("content-type") {
        "application/x-protobuf" => RpcStatus::decode(reply.body.as_slice()).unwrap().message,
        "application/json" => {
            let status: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
            assert!(status["code"].is_i64());
            status["message"].as_str().unwrap().to_owned()
        }
        other => panic!("{other}"),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn each_encoding_is_answered_in_kind() {
    let server = Backtrail::start();
    let mut expected = 0;
    for (trace, (compress, encoding)) in (1..).zip([
        ((|bytes| bytes.to_vec()) as fn(&[u8]) -> Vec<u8>, "identity"),
        (gzip, "gzip"),
        (zstd, "zstd"),
        (deflate, "deflate"),
    ]) {
        let encoding = ("Content-Encoding", encoding);
        let body = otlp::trace(trace, 3).encode_to_vec();
        let reply = export(&server, &[PROTOBUF, encoding], &compress(&body));
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{encoding:?}");
        assert_eq!(reply.header("content-type"), "application/x-protobuf");

        let body = otlp::trace_json(100 + trace, 4);
        let json = ("Content-Type", "application/json; charset=utf-8");
        let reply = export(&server, &[json, encoding], &compress(&body));
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (200, "{}"),
            "{encoding:?}"
        );
        assert_eq!(reply.header("content-type"), "application/json");
        expected += 7;
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), expected);
}

#[test]
fn a_request_without_spans_is_fine() {
    let server = Backtrail::start();
    assert_eq!(export(&server, &[PROTOBUF], b"").status, 200);
    assert_eq!(export(&server, &[JSON], b"{}").status, 200);
}

#[test]
fn good_spans_are_kept_and_the_others_counted() {
    let server = Backtrail::start();
    let mut spans: Vec<_> = (1..=4).map(|id| otlp::span(1, id)).collect();
    spans[0].trace_id = vec![0; 16];
    spans[1].span_id = vec![1, 2, 3];
    spans[2].end_time_unix_nano = 1;
    let reply = export(&server, &[PROTOBUF], &otlp::request(spans).encode_to_vec());
    assert_eq!(reply.status, 200);
    let (rejected, message) = partial_success(&reply.body);
    assert_eq!(rejected, 3);
    assert!(
        message.starts_with(
            "3 spans rejected (1 invalid_trace_id, 1 invalid_span_id, 1 time_backwards)"
        ),
        "{message}"
    );
    assert_eq!(server.metric("backtrail_memtable_spans"), 1);

    let mut body: serde_json::Value = serde_json::from_slice(&otlp::trace_json(2, 2)).unwrap();
    body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = "xyz".into();
    let reply = export(&server, &[JSON], body.to_string().as_bytes());
    assert_eq!(reply.status, 200);
    let reply: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply["partialSuccess"]["rejectedSpans"], "1");
    let message = reply["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(message.contains("invalid_trace_id"), "{message}");
    assert_eq!(server.metric("backtrail_memtable_spans"), 2);
}

#[test]
fn what_can_not_be_read_is_a_bad_request_that_says_why() {
    let server = Backtrail::start();
    let whole = otlp::trace(1, 5).encode_to_vec();
    let json = otlp::trace_json(1, 5);
    let encoded = |encoding| ("Content-Encoding", encoding);
    let nested = [br#"{"resourceSpans":"#.to_vec(), vec![b'['; 100_000]].concat();
    for (name, headers, body) in [
        (
            "truncated protobuf",
            vec![PROTOBUF],
            &whole[..whole.len() - 1],
        ),
        ("random protobuf", vec![PROTOBUF], b"\xff\xff\xff\xff"),
        ("JSON as protobuf", vec![PROTOBUF], &json),
        ("truncated JSON", vec![JSON], &json[..json.len() - 1]),
        ("protobuf as JSON", vec![JSON], &whole),
        ("no JSON at all", vec![JSON], b""),
        ("JSON of another shape", vec![JSON], b"[1, 2]"),
        ("absurd nesting", vec![JSON], &nested),
        ("text as gzip", vec![PROTOBUF, encoded("gzip")], b"text"),
        (
            "truncated gzip",
            vec![PROTOBUF, encoded("gzip")],
            &gzip(&whole)[..30],
        ),
        (
            "truncated zstd",
            vec![PROTOBUF, encoded("zstd")],
            &zstd(&whole)[..30],
        ),
        (
            "gzip as deflate",
            vec![PROTOBUF, encoded("deflate")],
            &gzip(&whole),
        ),
    ] {
        let reply = export(&server, &headers, body);
        assert_eq!(reply.status, 400, "{name}");
        assert_eq!(reply.header("content-type"), headers[0].1, "{name}");
        assert!(!message(&reply).is_empty(), "{name}");
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), 0);
}

#[test]
fn types_and_encodings_that_are_unknown_are_named() {
    let server = Backtrail::start();
    for (headers, expected) in [
        (
            vec![("Content-Type", "text/plain")],
            r#"content type "text/plain" is not supported here; send application/x-protobuf or application/json"#,
        ),
        (
            vec![PROTOBUF, ("Content-Encoding", "br")],
            r#"content encoding "br" is not supported; send gzip, zstd, deflate or identity"#,
        ),
    ] {
        let reply = export(&server, &headers, b"");
        assert_eq!((reply.status, message(&reply).as_str()), (415, expected));
    }
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_client_sees_why() {
    let server = Backtrail::start();
    let expected = "the body is larger than 16777216 bytes on the wire (limits.max_body_bytes); send smaller batches";
    // The length is known and nothing of it is read; still the reply arrives.
    let body = otlp::larger_than(17 << 20).encode_to_vec();
    let reply = export(&server, &[PROTOBUF], &body);
    assert_eq!((reply.status, message(&reply).as_str()), (413, expected));

    // The length is not known beforehand.
    let request = agent()
        .post(server.url("otlp-http", "/v1/traces"))
        .header(PROTOBUF.0, PROTOBUF.1)
        .send(ureq::SendBody::from_reader(&mut body.as_slice()))
        .unwrap();
    let reply = Reply::from(request);
    assert_eq!((reply.status, message(&reply).as_str()), (413, expected));

    // A client that asks first is told before it sends anything.
    let mut connection = RawConnection::open(server.address("otlp-http"));
    connection.send(
        b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n",
    );
    let reply = connection.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
}

#[test]
fn limits_are_settings() {
    let server = Start::new().arg("--limits-max-body-bytes=1KiB").start();
    let body = otlp::trace(1, 30).encode_to_vec();
    let reply = export(&server, &[PROTOBUF], &body);
    assert_eq!(reply.status, 413);
    assert!(message(&reply).contains("larger than 1024 bytes"));
}

#[test]
fn a_bomb_is_refused_when_it_goes_off() {
    let server = Backtrail::start();
    let before = server.metric("process_resident_memory_bytes");
    // 512 MiB of zeros.
    let zeros = vec![0; 512 << 20];
    for (compress, encoding) in [
        (gzip as fn(&[u8]) -> Vec<u8>, "gzip"),
        (zstd, "zstd"),
        (deflate, "deflate"),
    ] {
        let body = compress(&zeros);
        assert!(body.len() < 8 << 20);
        let reply = export(&server, &[PROTOBUF, ("Content-Encoding", encoding)], &body);
        assert_eq!(
            (reply.status, message(&reply).as_str()),
            (
                413,
                "the body is larger than 67108864 bytes after decompression (limits.max_inflated_bytes); send smaller batches"
            ),
            "{encoding}"
        );
    }
    let grown = server.metric("process_resident_memory_bytes") - before;
    // Three times 64 MiB in a buffer that doubles, and what the allocator has not given back yet.
    assert!(grown < (448 << 20), "grew by {grown} bytes");
}

#[test]
fn other_paths_and_methods_say_where_to_go() {
    let server = Backtrail::start();
    for (path, expected) in [
        (
            "/",
            "there is no POST / here; OTLP is sent with POST to /v1/traces, /v1/logs or /v1/metrics",
        ),
        (
            "/v1/traces/",
            "there is no POST /v1/traces/ here; OTLP is sent with POST to /v1/traces, /v1/logs or /v1/metrics",
        ),
        (
            "/v1development/profiles",
            "there is no POST /v1development/profiles here; OTLP is sent with POST to /v1/traces, /v1/logs or /v1/metrics",
        ),
    ] {
        for kind in [PROTOBUF, JSON] {
            let reply = post(&server.url("otlp-http", path), &[kind], b"");
            assert_eq!((reply.status, message(&reply).as_str()), (404, expected));
            assert_eq!(reply.header("content-type"), kind.1);
        }
    }
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        let reply = agent().get(server.url("otlp-http", path)).call();
        let reply = Reply::from(reply.unwrap());
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
        assert!(message(&reply).contains("sent with POST"));
    }
}

fn preflight(server: &Backtrail, origin: &str) -> Reply {
    let request = http::Request::builder()
        .method("OPTIONS")
        .uri(server.url("otlp-http", "/v1/traces"))
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type,x-team")
        .body(())
        .unwrap();
    Reply::from(agent().run(request).unwrap())
}

#[test]
fn pages_of_any_origin_may_send_unless_told_otherwise() {
    let server = Backtrail::start();
    let reply = preflight(&server, "https://shop.example");
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("access-control-allow-origin"),
        "https://shop.example"
    );
    assert_eq!(reply.header("access-control-allow-methods"), "POST");
    assert_eq!(
        reply.header("access-control-allow-headers"),
        "content-type,x-team"
    );
    // `navigator.sendBeacon` sends credentials, and browsers ask for this then.
    assert_eq!(reply.header("access-control-allow-credentials"), "true");

    // The reply itself, good or bad, can be read by the page.
    for (body, status) in [(&b"{}"[..], 200), (b"{", 400)] {
        let reply = export(&server, &[JSON, ("Origin", "https://shop.example")], body);
        assert_eq!(reply.status, status);
        assert_eq!(
            reply.header("access-control-allow-origin"),
            "https://shop.example"
        );
    }
}

#[test]
fn origins_can_be_listed_or_turned_off() {
    let listed = Start::new()
        .arg("--cors-origins=https://a.example,https://b.example")
        .start();
    let allowed = |server: &Backtrail, origin: &str| {
        preflight(server, origin)
            .header("access-control-allow-origin")
            .to_owned()
    };
    assert_eq!(allowed(&listed, "https://b.example"), "https://b.example");
    assert_eq!(allowed(&listed, "https://c.example"), "");

    let off = Start::new().arg("--cors-origins=off").start();
    assert_eq!(allowed(&off, "https://a.example"), "");
}

#[test]
fn a_body_that_stalls_is_given_up() {
    let server = Start::new().arg("--limits-request-timeout-ms=200").start();
    let mut connection = RawConnection::open(server.address("otlp-http"));
    connection.send(
        b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    );
    let reply = connection.read_to_end();
    assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    assert!(
        reply.contains("the body did not arrive within 200ms"),
        "{reply}"
    );

    // Nor does a connection that says nothing stay open for ever.
    let mut silent = RawConnection::open(server.address("otlp-http"));
    assert_eq!(silent.read_to_end(), "");
}
