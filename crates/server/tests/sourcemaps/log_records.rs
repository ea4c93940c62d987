//! Exceptions that came as log records, as the conventions move to.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde_json::Value;

use crate::running::otlp::START_UNIX_NANO;
use crate::running::{Backtrail, otlp, post};
use crate::service::{
    HASHED, Thrower, assert_healed, assert_raw, build, exceptions, get_json, of_stack, reasons,
    send, stack, upload,
};

const SHOP: Thrower<'static> = Thrower {
    service: "shop",
    version: Some("1.0.0"),
};

pub(crate) fn send_log(server: &Backtrail, trace: u128, span: u64) {
    let record = LogRecord {
        time_unix_nano: START_UNIX_NANO + 500,
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        attributes: of_stack(HASHED),
        ..LogRecord::default()
    };
    let request = ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: SHOP.resource(),
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                log_records: vec![record],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    };
    let headers = [("Content-Type", "application/x-protobuf")];
    let url = server.url("otlp-http", "/v1/logs");
    let reply = post(&url, &headers, &request.encode_to_vec());
    assert_eq!(reply.status, 200);
}

#[test]
fn an_exception_in_a_log_record_resolves_with_its_span_and_without() {
    let server = Backtrail::start();
    send(&server, &otlp::trace(1, 1));
    send_log(&server, 1, 1);
    send_log(&server, 2, 1);
    for trace in [1, 2] {
        assert_raw(&stack(&server, trace), "nothing_uploaded");
    }
    let build = build("hashed");
    upload(&server, build.path(), &["--release", "1.0.0"]);
    for trace in [1, 2] {
        let found = exceptions(&server, trace);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["span_id"], "0000000000000001");
        assert_eq!(found[0]["service"], "shop");
        let time = (START_UNIX_NANO + 500).to_string();
        assert_eq!(found[0]["time_unix_nano"], time);
        assert_healed(&found[0]["stack"]);
    }
    // Without a span the log record's own resource says the version: no other release was searched.
    assert!(!reasons(&stack(&server, 2)).contains(&"no_such_release"));

    // The span comes at last: the exception is still one.
    send(&server, &otlp::trace(2, 1));
    assert_healed(&stack(&server, 2));
}

#[test]
fn a_trace_has_the_exceptions_of_its_spans_and_of_its_log_records() {
    let server = Backtrail::start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    SHOP.throws_stack(&server, 1, HASHED);
    send_log(&server, 1, 1);
    send_log(&server, 1, 99);
    let found = exceptions(&server, 1);
    assert_eq!(found.len(), 3);
    for exception in &found {
        assert_healed(&exception["stack"]);
    }
    let spans = found.iter().map(|exception| &exception["span_id"]);
    let spans: Vec<&Value> = spans.collect();
    assert_eq!(
        spans,
        ["0000000000000001", "0000000000000001", "0000000000000063"]
    );
}

#[test]
fn needs_count_exceptions_of_log_records_under_their_own_version() {
    let server = Backtrail::start();
    let other = Thrower {
        version: Some("2.0.0"),
        ..SHOP
    };
    send(&server, &otlp::trace(1, 1));
    other.throws_stack(&server, 2, HASHED);
    // Of a span without a version, of one of another version, and of none that is here.
    for trace in [1, 2, 3] {
        send_log(&server, trace, 1);
    }
    let all = "/api/v1/sourcemaps/needs?start=0&end=9999999999999999999";
    let needs = get_json(&server, all);
    assert_eq!(needs["exceptions"], 4, "{needs:#}");
    assert_eq!(needs["traces"], 3);
    let scripts = needs["scripts"].as_array().unwrap().iter();
    let mut counts: Vec<_> = scripts
        .map(|script| {
            (
                script["version"].to_string(),
                script["exceptions"].to_string(),
            )
        })
        .collect();
    counts.sort();
    let expected = [("\"1.0.0\"", "3"), ("\"2.0.0\"", "1")];
    assert_eq!(
        counts,
        expected.map(|(version, count)| (version.to_owned(), count.to_owned()))
    );

    // Of the time before it happened there is none, of another service neither.
    let before = format!(
        "/api/v1/sourcemaps/needs?start=0&end={}",
        START_UNIX_NANO - 1
    );
    for none in [before, format!("{all}&service=nobody")] {
        assert_eq!(get_json(&server, &none)["exceptions"], 0, "{none}");
    }
}
