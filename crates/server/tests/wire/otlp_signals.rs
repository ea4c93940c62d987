//! Logs and metrics at the OTLP ports: nobody is told off for them, and exceptions in logs are kept.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::grpc::GrpcClient;
use crate::running::otlp::{self, START_UNIX_NANO, attribute};
use crate::running::{Backtrail, Start, post};

const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const LOGS_EXPORT: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const METRICS_EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

fn resource() -> Resource {
    Resource {
        attributes: vec![attribute("service.name", "shop")],
        ..Resource::default()
    }
}

fn logs(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource()),
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

/// A line of a log, of a span but of no interest.
fn line(trace: u128, span: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: START_UNIX_NANO + 500,
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        severity_text: "ERROR".to_owned(),
        ..LogRecord::default()
    }
}

/// A line that carries an exception.
fn exception(trace: u128, span: u64, kind: &str) -> LogRecord {
    LogRecord {
        attributes: vec![
            attribute("exception.type", kind),
            attribute("exception.message", "out of stock"),
            attribute("exception.stacktrace", "at order (shop.js:7)"),
        ],
        ..line(trace, span)
    }
}

/// Three data points of two metrics.
fn metrics() -> ExportMetricsServiceRequest {
    let gauge = |points: usize| Metric {
        name: "queue.length".to_owned(),
        data: Some(Data::Gauge(Gauge {
            data_points: vec![NumberDataPoint::default(); points],
        })),
        ..Metric::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource()),
            scope_metrics: vec![ScopeMetrics {
                metrics: vec![gauge(2), gauge(1)],
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

fn send_logs(server: &Backtrail, request: &ExportLogsServiceRequest) -> ExportLogsServiceResponse {
    let reply = post(
        &server.url("otlp-http", "/v1/logs"),
        &[PROTOBUF],
        &request.encode_to_vec(),
    );
    assert_eq!(reply.status, 200);
    ExportLogsServiceResponse::decode(reply.body.as_slice()).unwrap()
}

fn send_trace(server: &Backtrail, trace: u128, spans: u64) {
    let body = otlp::trace(trace, spans).encode_to_vec();
    let reply = post(&server.url("otlp-http", "/v1/traces"), &[PROTOBUF], &body);
    assert_eq!(reply.status, 200);
}

fn get_json(server: &Backtrail, path: &str) -> Value {
    let (status, body) = server.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// The events of a span, as our own API has them.
fn events(server: &Backtrail, trace: u128, span: u64) -> Vec<Value> {
    let detail = get_json(
        server,
        &format!("/api/v1/traces/{trace:032x}/spans/{span:016x}"),
    );
    detail["spans"][0]["events"].as_array().unwrap().clone()
}

#[test]
fn metrics_and_plain_logs_are_answered_with_success_in_kind() {
    let server = Backtrail::start();
    let logs = logs(vec![line(1, 1), line(1, 2)]);
    for (path, protobuf, json) in [
        ("/v1/logs", logs.encode_to_vec(), serde_json::to_vec(&logs)),
        (
            "/v1/metrics",
            metrics().encode_to_vec(),
            serde_json::to_vec(&metrics()),
        ),
    ] {
        let url = server.url("otlp-http", path);
        let reply = post(&url, &[PROTOBUF], &protobuf);
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b""[..]));
        assert_eq!(reply.header("content-type"), PROTOBUF.1);
        let reply = post(&url, &[JSON], &json.unwrap());
        assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    }
    let client = GrpcClient::connect(server.address("otlp-grpc"));
    let reply: ExportLogsServiceResponse = client.call(LOGS_EXPORT, logs, None).unwrap();
    assert_eq!(reply, ExportLogsServiceResponse::default());
    let reply: ExportMetricsServiceResponse = client.call(METRICS_EXPORT, metrics(), None).unwrap();
    assert_eq!(reply, ExportMetricsServiceResponse::default());

    for protocol in ["otlp_http_protobuf", "otlp_http_json", "otlp_grpc"] {
        let of = |name: &str, labels: &str| server.metric(&format!("backtrail_{name}{{{labels}}}"));
        let protocol = format!("protocol=\"{protocol}\"");
        for signal in ["logs", "metrics"] {
            let labels = format!("signal=\"{signal}\",{protocol},status=\"ok\"");
            assert_eq!(of("signal_requests_total", &labels), 1, "{labels}");
        }
        assert_eq!(of("log_records_received_total", &protocol), 2);
        let ignored = format!("{protocol},reason=\"no_exception\"");
        assert_eq!(of("log_records_ignored_total", &ignored), 2);
        assert_eq!(of("metric_points_ignored_total", &protocol), 3);
    }
    assert_eq!(server.metric("backtrail_log_synced_bytes_total"), 0);
}

#[test]
fn a_service_that_sends_what_is_not_kept_is_named_once() {
    let server = Backtrail::start();
    for _ in 0..3 {
        send_logs(&server, &logs(vec![line(1, 1)]));
        let url = server.url("otlp-http", "/v1/metrics");
        post(&url, &[PROTOBUF], &metrics().encode_to_vec());
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    let count = |what: &str| server.log().matches(what).count();
    while count("OTEL_METRICS_EXPORTER=none") == 0 {
        assert!(Instant::now() < deadline, "{}", server.log());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(count("service \"shop\" sends metrics"), 1);
    assert_eq!(count("service \"shop\" sends logs"), 1);
    assert_eq!(count("OTEL_LOGS_EXPORTER=none"), 1);
}

#[test]
fn an_exception_in_a_log_record_is_an_event_of_its_span_in_every_api() {
    let server = Backtrail::start();
    send_trace(&server, 7, 2);
    let kept = logs(vec![line(7, 2), exception(7, 2, "OutOfStock"), line(7, 1)]);
    assert_eq!(send_logs(&server, &kept).partial_success, None);

    assert!(events(&server, 7, 1).is_empty());
    let [event] = &events(&server, 7, 2)[..] else {
        panic!("one event was sent");
    };
    assert_eq!(event["name"], "exception");
    assert_eq!(event["time_unix_nano"], (START_UNIX_NANO + 500).to_string());
    assert!(event.to_string().contains("OutOfStock"));
    assert!(event.to_string().contains("at order (shop.js:7)"));

    let trace = format!("{:032x}", 7);
    let jaeger = get_json(&server, &format!("/api/traces/{trace}"));
    assert!(jaeger.to_string().contains("at order (shop.js:7)"));
    let exported = get_json(&server, &format!("/api/v1/traces/{trace}"));
    assert!(exported.to_string().contains("OutOfStock"));
}

#[test]
fn it_does_not_matter_which_comes_first_and_a_kill_loses_neither() {
    let dir = TempDir::new().unwrap();
    let server = Start::new().data_dir(dir.path()).start();
    send_logs(&server, &logs(vec![exception(9, 1, "Early")]));
    send_trace(&server, 9, 1);
    let client = GrpcClient::connect(server.address("otlp-grpc"));
    let late = logs(vec![exception(9, 1, "Late")]);
    let reply: ExportLogsServiceResponse = client.call(LOGS_EXPORT, late, None).unwrap();
    assert_eq!(reply.partial_success, None);
    server.kill();

    let server = Start::new().data_dir(dir.path()).start();
    let texts: Vec<String> = events(&server, 9, 1).iter().map(Value::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("Early")));
    assert!(texts.iter().any(|text| text.contains("Late")));
}

#[test]
fn a_search_for_the_exception_finds_its_trace() {
    let server = Backtrail::start();
    send_trace(&server, 1, 1);
    send_trace(&server, 2, 1);
    send_logs(&server, &logs(vec![exception(2, 1, "OutOfStock")]));
    let end = START_UNIX_NANO / 1000 + 60_000_000;
    let tags = "%7B%22exception.type%22%3A%22OutOfStock%22%7D";
    let found = get_json(
        &server,
        &format!("/api/traces?service=shop&tags={tags}&start=0&end={end}"),
    );
    let ids: Vec<_> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| trace["traceID"].clone())
        .collect();
    assert_eq!(ids, [json!(format!("{:032x}", 2))]);
}

#[test]
fn an_exception_that_breaks_the_rules_is_the_only_thing_rejected() {
    let server = Backtrail::start();
    let mut short = exception(1, 1, "Short");
    short.trace_id.truncate(5);
    let mut homeless = exception(1, 1, "Homeless");
    homeless.trace_id.clear();
    let mut harmless = line(1, 1);
    harmless.trace_id.truncate(5);
    let request = logs(vec![harmless, homeless, exception(1, 1, "Good"), short]);
    let message = "1 log record rejected (1 invalid_trace_id): \
                   resourceLogs[0].scopeLogs[0].logRecords[3]: trace id has 5 bytes instead of 16";

    let partial = send_logs(&server, &request).partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert_eq!(partial.error_message, message);

    let url = server.url("otlp-http", "/v1/logs");
    let reply = post(&url, &[JSON], &serde_json::to_vec(&request).unwrap());
    let partial = json!({ "partialSuccess": {
        "rejectedLogRecords": "1",
        "errorMessage": message,
    }});
    assert_eq!(
        serde_json::from_str::<Value>(&reply.text()).unwrap(),
        partial
    );

    for (name, labels, count) in [
        ("kept", "", 1),
        ("ignored", ",reason=\"no_trace\"", 1),
        ("ignored", ",reason=\"no_exception\"", 1),
        ("rejected", ",reason=\"invalid_trace_id\"", 1),
    ] {
        for protocol in ["otlp_http_protobuf", "otlp_http_json"] {
            let sample =
                format!("backtrail_log_records_{name}_total{{protocol=\"{protocol}\"{labels}}}");
            assert_eq!(server.metric(&sample), count, "{sample}");
        }
    }
}

#[test]
fn bounds_and_bad_requests_are_refused_as_they_are_for_spans() {
    let server = Start::new()
        .arg("--limits-max-body-bytes=1KiB")
        .arg("--limits-grpc-max-message-bytes=1KiB")
        .start();
    let client = GrpcClient::connect(server.address("otlp-grpc"));
    for (path, method, signal) in [
        ("/v1/logs", LOGS_EXPORT, "logs"),
        ("/v1/metrics", METRICS_EXPORT, "metrics"),
    ] {
        let url = server.url("otlp-http", path);
        assert_eq!(post(&url, &[PROTOBUF], &[0; 2000]).status, 413);
        assert_eq!(post(&url, &[PROTOBUF], b"\x0a\x05ab").status, 400);
        assert_eq!(post(&url, &[JSON], b"{").status, 400);
        assert_eq!(
            post(&url, &[("Content-Type", "text/plain")], b"").status,
            415
        );
        let too_large: Result<ExportLogsServiceResponse, _> =
            client.call(method, logs(vec![line(1, 1); 100]), None);
        let status = too_large.unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status}");
        for (protocol, status) in [
            ("otlp_http_protobuf", "too_large"),
            ("otlp_http_protobuf", "malformed"),
            ("otlp_http_json", "malformed"),
            ("otlp_http_json", "unsupported"),
            ("otlp_grpc", "too_large"),
        ] {
            let sample = format!(
                "backtrail_signal_requests_total{{signal=\"{signal}\",protocol=\"{protocol}\",status=\"{status}\"}}"
            );
            assert_eq!(server.metric(&sample), 1, "{sample}");
        }
    }
}
