//! `POST /api/traces` on Jaeger's port.

use crate::running::{Backtrail, Reply, agent, jaeger, post};

use super::otlp_http::gzip;

fn collect(server: &Backtrail, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let url = server.url("jaeger-http", &format!("/api/traces{query}"));
    post(&url, headers, body)
}

fn thrift(kind: &'static str) -> (&'static str, &'static str) {
    ("Content-Type", kind)
}

#[test]
fn binary_and_compact_are_taken_under_the_names_that_clients_use() {
    let server = Backtrail::start();
    let (binary, compact) = (jaeger::binary, jaeger::compact);
    let mut spans = 0;
    for (trace, (write, query, kind)) in (1..).zip([
        // What Jaeger's exporter for Node sends, and what the older clients did.
        (
            binary as fn(&str, u128, u64) -> Vec<u8>,
            "",
            "application/x-thrift",
        ),
        (binary, "?format=jaeger.thrift", "application/x-thrift"),
        (binary, "", "application/vnd.apache.thrift.binary"),
        (compact, "", "application/vnd.apache.thrift.compact"),
        (compact, "", "application/x-thrift"),
    ]) {
        let reply = collect(&server, query, &[thrift(kind)], &write("shop", trace, 20));
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (202, ""),
            "{query} {kind}"
        );
        spans += 20;
        assert_eq!(server.metric("backtrail_memtable_spans"), spans);
    }
    let headers = [thrift("application/x-thrift"), ("Content-Encoding", "gzip")];
    let reply = collect(&server, "", &headers, &gzip(&binary("shop", 9, 20)));
    assert_eq!(reply.status, 202);
}

#[test]
fn what_was_not_kept_is_said() {
    let server = Backtrail::start();
    let kind = thrift("application/x-thrift");
    // Trace id 0 is none.
    let reply = collect(&server, "", &[kind], &jaeger::binary("shop", 0, 3));
    assert_eq!(reply.status, 400);
    assert!(
        reply
            .text()
            .starts_with("3 spans rejected (3 invalid_trace_id)"),
        "{reply:?}"
    );

    let mut one_bad = jaeger::binary("shop", 5, 3);
    // The first span's id, behind field 3 of type i64.
    let place = one_bad
        .windows(11)
        .position(|bytes| bytes == [10, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1])
        .unwrap();
    one_bad[place + 10] = 0;
    let reply = collect(&server, "", &[kind], &one_bad);
    assert_eq!(reply.status, 202);
    assert!(
        reply
            .text()
            .starts_with("1 span rejected (1 invalid_span_id)"),
        "{reply:?}"
    );
    assert_eq!(server.metric("backtrail_memtable_spans"), 2);
    let rejected =
        r#"backtrail_spans_rejected_total{protocol="jaeger_http",reason="invalid_trace_id"}"#;
    assert_eq!(server.metric(rejected), 3);
}

#[test]
fn bad_requests_say_why() {
    let server = Backtrail::start();
    let batch = jaeger::binary("shop", 1, 3);
    let x_thrift = thrift("application/x-thrift");
    for (query, headers, body, status, expected) in [
        ("", vec![x_thrift], &batch[..batch.len() - 5], 400, ""),
        ("", vec![x_thrift], b"\xff\xff\xff", 400, ""),
        (
            "",
            vec![thrift("application/vnd.apache.thrift.compact")],
            &batch[..],
            400,
            "",
        ),
        (
            "",
            vec![thrift("text/html")],
            &batch,
            415,
            "content type \"text/html\" is not supported here; send application/x-thrift",
        ),
        (
            "",
            vec![x_thrift, ("Content-Encoding", "br")],
            &batch,
            415,
            "content encoding \"br\" is not supported",
        ),
        (
            "?format=zipkin.thrift",
            vec![x_thrift],
            &batch,
            400,
            "format \"zipkin.thrift\" is not supported",
        ),
        (
            "",
            vec![x_thrift],
            &vec![0; (16 << 20) + 1],
            413,
            "the body is larger than 16777216 bytes on the wire",
        ),
    ] {
        let reply = collect(&server, query, &headers, body);
        assert_eq!(
            reply.status,
            status,
            "{query} {headers:?}: {}",
            reply.text()
        );
        assert!(reply.text().contains(expected), "{}", reply.text());
        assert!(reply.text().len() > 5);
    }
    assert_eq!(server.metric("backtrail_memtable_spans"), 0);
}

#[test]
fn other_paths_and_methods_say_where_to_go() {
    let server = Backtrail::start();
    let reply = post(&server.url("jaeger-http", "/v1/traces"), &[], b"");
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("sent with POST to /api/traces"));
    let reply = Reply::from(
        agent()
            .get(server.url("jaeger-http", "/api/traces"))
            .call()
            .unwrap(),
    );
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
}
