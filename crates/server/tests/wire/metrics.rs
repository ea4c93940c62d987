//! `/metrics`, `/healthz` and `/readyz`.

use prost::Message;

use crate::running::{Backtrail, RawConnection, Reply, agent, otlp, post};

#[test]
fn what_arrives_is_counted_by_protocol_and_reason() {
    let server = Backtrail::start();
    let mut spans: Vec<_> = (1..=5).map(|id| otlp::span(1, id)).collect();
    spans[0].trace_id.clear();
    let body = otlp::request(spans).encode_to_vec();
    let url = server.url("otlp-http", "/v1/traces");
    post(&url, &[("Content-Type", "application/x-protobuf")], &body);
    post(&url, &[("Content-Type", "application/x-protobuf")], b"\xff");

    let of = |name: &str, labels: &str| {
        let sample = format!("{name}{{protocol=\"otlp_http_protobuf\"{labels}}}");
        server.metric(&sample)
    };
    assert_eq!(of("backtrail_spans_received_total", ""), 5);
    assert_eq!(
        of(
            "backtrail_spans_rejected_total",
            ",reason=\"invalid_trace_id\""
        ),
        1
    );
    assert_eq!(of("backtrail_requests_total", ",status=\"partial\""), 1);
    assert_eq!(of("backtrail_requests_total", ",status=\"malformed\""), 1);
    assert_eq!(
        of("backtrail_request_body_bytes_total", ""),
        (body.len() + 1) as u64
    );
    assert_eq!(server.metric("backtrail_memtable_spans"), 4);
    assert!(server.metric("backtrail_log_sync_duration_seconds_count") >= 1);
    assert!(server.metric("backtrail_log_bytes") > 0);
}

#[test]
fn a_request_whose_client_left_is_counted() {
    let server = Backtrail::start();
    for (listener, path, kind, protocol) in [
        (
            "otlp-http",
            "/v1/traces",
            "application/x-protobuf",
            "otlp_http_protobuf",
        ),
        ("zipkin", "/api/v2/spans", "application/json", "zipkin_http"),
        (
            "jaeger-http",
            "/api/traces",
            "application/x-thrift",
            "jaeger_http",
        ),
    ] {
        let mut connection = RawConnection::open(server.address(listener));
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\n"
        );
        connection.send(head.as_bytes());
        connection.send(b"half");
        server.eventually("backtrail_in_flight_bytes", 4);
        drop(connection);
        server.eventually(
            &format!(r#"backtrail_requests_total{{protocol="{protocol}",status="cancelled"}}"#),
            1,
        );
        server.eventually("backtrail_in_flight_bytes", 0);
    }
}

#[test]
fn every_metric_is_there_from_the_start_with_help_and_type() {
    let server = Backtrail::start();
    // Routes have a series of their own once somebody has asked.
    assert_eq!(server.get("/api/v1/services").0, 200);
    let services = "backtrail_query_duration_seconds_count{endpoint=\"/api/v1/services\"}";
    assert_eq!(server.metric(services), 1);
    let reply = Reply::from(agent().get(server.url("web", "/metrics")).call().unwrap());
    assert!(
        reply
            .header("content-type")
            .starts_with("application/openmetrics-text; version=1.0.0")
    );
    let text = reply.text();
    for (name, kind) in [
        ("backtrail_spans_received", "counter"),
        ("backtrail_spans_rejected", "counter"),
        ("backtrail_requests", "counter"),
        ("backtrail_request_body_bytes", "counter"),
        ("backtrail_log_sync_duration_seconds", "histogram"),
        ("backtrail_query_duration_seconds", "histogram"),
        ("backtrail_in_flight_bytes", "gauge"),
        ("backtrail_memtable_spans", "gauge"),
        ("backtrail_log_bytes", "gauge"),
        ("backtrail_block_bytes", "gauge"),
        ("backtrail_block_spans", "gauge"),
        ("backtrail_flush_pending", "gauge"),
        ("backtrail_compaction_pending", "gauge"),
        ("backtrail_deletions_pending", "gauge"),
        ("process_cpu_seconds", "counter"),
        ("process_resident_memory_bytes", "gauge"),
    ] {
        assert!(text.contains(&format!("# HELP {name} ")), "{name}\n{text}");
        assert!(
            text.contains(&format!("# TYPE {name} {kind}\n")),
            "{name}\n{text}"
        );
    }
    assert!(text.ends_with("# EOF\n"));
    let cpu_seconds: f64 = text
        .lines()
        .find_map(|line| {
            line.strip_prefix("process_cpu_seconds_total ")?
                .parse()
                .ok()
        })
        .unwrap();
    assert!(cpu_seconds > 0.0);
    assert!(server.metric("process_resident_memory_bytes") > 1_000_000);
}

#[test]
fn a_server_that_runs_is_healthy_and_ready() {
    let server = Backtrail::start();
    assert_eq!(server.get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(server.get("/readyz"), (200, "ready\n".to_owned()));
}
