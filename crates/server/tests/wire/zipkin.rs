//! Zipkin's port: `POST /api/v2/spans`.

use serde_json::json;

use crate::running::{Backtrail, Reply, Start, post};

use super::otlp_http::gzip;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn send(server: &Backtrail, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    post(&server.url("zipkin", path), headers, body)
}

/// A list of spans of one trace.
fn spans(trace: u64, spans: u64) -> Vec<u8> {
    let spans: Vec<_> = (1..=spans)
        .map(|id| {
            json!({
                "traceId": format!("{trace:016x}"),
                "id": format!("{id:016x}"),
                "name": format!("operation {id}"),
                "timestamp": 1_767_225_600_000_000 + id,
                "duration": 1000,
                "localEndpoint": { "serviceName": "shop" },
            })
        })
        .collect();
    serde_json::to_vec(&spans).unwrap()
}

#[test]
fn spans_are_taken_as_json_compressed_or_not() {
    let server = Backtrail::start();
    for headers in [&[JSON][..], &[]] {
        let reply = send(&server, "/api/v2/spans", headers, &spans(1, 20));
        assert_eq!((reply.status, reply.text().as_str()), (202, ""));
    }
    let headers = [JSON, ("Content-Encoding", "gzip")];
    let reply = send(&server, "/api/v2/spans", &headers, &gzip(&spans(2, 20)));
    assert_eq!((reply.status, reply.text().as_str()), (202, ""));
    assert_eq!(server.metric("backtrail_memtable_spans"), 60);
    for empty in ["[]", "", " \n"] {
        let reply = send(&server, "/api/v2/spans", &[JSON], empty.as_bytes());
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (202, ""),
            "{empty:?}"
        );
    }
}

#[test]
fn version_1_is_taken_as_json_and_as_thrift() {
    let server = Backtrail::start();
    let json = br#"[{"traceId": "1", "id": "1", "name": "get"}]"#;
    // One struct: `{1: 1, 4: 2}`, both `i64`.
    let thrift = b"\x0c\0\0\0\x01\x0a\0\x01\0\0\0\0\0\0\0\x01\x0a\0\x04\0\0\0\0\0\0\0\x02\0";
    for (kind, body) in [
        ("application/json", &json[..]),
        ("application/x-thrift", thrift),
    ] {
        let reply = send(&server, "/api/v1/spans", &[("Content-Type", kind)], body);
        assert_eq!((reply.status, reply.text().as_str()), (202, ""), "{kind}");
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), 2);
    let kind = ("Content-Type", "application/x-thrift");
    let reply = send(&server, "/api/v1/spans", &[kind], &thrift[..20]);
    assert_eq!(reply.status, 400);
    assert!(
        reply
            .text()
            .contains("not a list of Zipkin spans in Thrift: at byte")
    );
}

#[test]
fn spans_are_json_when_no_media_type_says_otherwise() {
    let server = Backtrail::start();
    let by_curl = ("Content-Type", "application/x-www-form-urlencoded");
    let by_beacon = ("Content-Type", "text/plain;charset=UTF-8");
    for (trace, headers) in [(1, &[][..]), (2, &[by_curl]), (3, &[by_beacon])] {
        for path in ["/api/v1/spans", "/api/v2/spans"] {
            let reply = send(&server, path, headers, &spans(trace, 1));
            assert_eq!(reply.status, 202, "{headers:?}: {}", reply.text());
        }
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), 6);
}

#[test]
fn a_page_that_may_not_send_cannot_do_so_by_leaving_out_the_media_type() {
    let server = Start::new()
        .arg("--cors-origins=https://shop.example")
        .start();
    let plain = ("Content-Type", "text/plain");
    let listed = ("Origin", "https://shop.example");
    let other = ("Origin", "https://other.example");
    for (headers, status) in [
        (&[plain, listed][..], 202),
        (&[plain, other], 415),
        (&[other], 415),
    ] {
        let reply = send(&server, "/api/v2/spans", headers, &spans(1, 1));
        assert_eq!(reply.status, status, "{headers:?}");
    }
}

#[test]
fn a_bad_span_is_named_and_the_others_are_kept() {
    let server = Backtrail::start();
    let body = br#"[
        {"traceId": "1", "id": "2"},
        {"traceId": "1", "id": "xyz"},
        {"traceId": "1", "id": "3", "localEndpoint": {"port": 65536}},
        {"traceId": "1", "id": "4", "timestamp": 18446744073709552},
        17
    ]"#;
    let reply = send(&server, "/api/v2/spans", &[JSON], body);
    assert_eq!(reply.status, 202);
    let expected = "4 spans rejected (1 invalid_span_id, 1 time_out_of_range, 2 malformed): \
        [1].id: span id \"xyz\" is not hexadecimal; [2].localEndpoint.port: port 65536 is none; \
        [3].timestamp: timestamp of 18446744073709552 microseconds is not within the nanoseconds since 1970 that OTLP has; \
        [4]: 17 where an object is expected\n";
    assert_eq!(reply.text(), expected);
    assert_eq!(server.metric("backtrail_memtable_spans"), 1);
    let rejected =
        r#"backtrail_spans_rejected_total{protocol="zipkin_http",reason="invalid_span_id"}"#;
    assert_eq!(server.metric(rejected), 1);

    let reply = send(
        &server,
        "/api/v2/spans",
        &[JSON],
        br#"[{"traceId": "0", "id": "1"}]"#,
    );
    assert_eq!(reply.status, 400);
    assert!(
        reply.text().contains("[0]: trace id is all zero"),
        "{reply:?}"
    );
}

#[test]
fn bad_requests_say_why() {
    let server = Backtrail::start();
    let body = spans(1, 3);
    let too_long = vec![b' '; (16 << 20) + 1];
    for (headers, body, status, expected) in [
        (
            vec![JSON],
            &body[..body.len() - 3],
            400,
            "not a list of Zipkin spans: line 1, column",
        ),
        (vec![JSON], &b"{}"[..], 400, "expected a list of spans"),
        (vec![JSON], &b"[\xff]"[..], 400, "not UTF-8 at byte 1"),
        (
            vec![("Content-Type", "text/html")],
            &b"<html>"[..],
            400,
            "not a list of Zipkin spans: line 1, column 1",
        ),
        (
            vec![JSON, ("Content-Encoding", "br")],
            &body[..],
            415,
            "content encoding \"br\" is not supported",
        ),
        (
            vec![JSON],
            &too_long[..],
            413,
            "the body is larger than 16777216 bytes on the wire",
        ),
    ] {
        let reply = send(&server, "/api/v2/spans", &headers, body);
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text());
        assert!(reply.text().contains(expected), "{}", reply.text());
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), 0);
}

#[test]
fn pages_of_other_origins_may_send_and_not_read() {
    let server = Backtrail::start();
    let origin = ("Origin", "https://shop.example");
    let reply = send(&server, "/api/v2/spans", &[JSON, origin], &spans(1, 1));
    assert_eq!(reply.status, 202);
    let allowed = "access-control-allow-origin";
    assert_eq!(reply.header(allowed), "https://shop.example");
    let url = server.url("zipkin", "/api/v2/services");
    let read = crate::running::agent()
        .get(url)
        .header(origin.0, origin.1)
        .call();
    assert_eq!(Reply::from(read.unwrap()).header(allowed), "");
}
