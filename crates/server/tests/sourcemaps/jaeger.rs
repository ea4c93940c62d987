//! Jaeger's APIs show the resolved stack and keep the raw one beside it; OTLP gives what came.

use serde_json::Value;
use tonic::Request;

use crate::running::grpc::{GrpcClient, Streamed};
use crate::running::jaeger_query::{GetTraceV2, Spans};
use crate::running::{Backtrail, Start, run_in};
use crate::service::{HASHED, PLACE, RAW_PLACE, SHOP, build, get_json, healed, stdout, upload};

const TRACE: &str = "00000000000000000000000000000001";
const STACK: &str = "exception.stacktrace";
const RAW: &str = "exception.stacktrace.raw";

/// A server with a crash of `shop` and its build.
fn crashed(start: Start) -> Backtrail {
    let server = start.start();
    upload(&server, build("hashed").path(), &["--release", "1.0.0"]);
    SHOP.throws_stack(&server, 1, HASHED);
    server
}

/// The fields of the only log: those of this name.
fn fields_of_http(server: &Backtrail, key: &str) -> Vec<String> {
    let found = get_json(server, &format!("/api/traces/{TRACE}"));
    let logs = found["data"][0]["spans"][0]["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 1);
    let fields = logs[0]["fields"].as_array().unwrap().iter();
    let fields = fields.filter(|field| field["key"] == key);
    fields
        .map(|field| field["value"].as_str().unwrap().to_owned())
        .collect()
}

/// The same over gRPC.
fn fields_of_grpc(server: &Backtrail, key: &str) -> Vec<String> {
    let client = GrpcClient::connect(server.address("jaeger-query-grpc"));
    let question = GetTraceV2 {
        trace_id: 1_u128.to_be_bytes().to_vec(),
    };
    let path = "/jaeger.api_v2.QueryService/GetTrace";
    let found: Streamed<Spans> = client.stream(path, Request::new(question)).unwrap();
    let logs = &found.messages[0].spans[0].logs;
    assert_eq!(logs.len(), 1);
    let fields = logs[0].fields.iter().filter(|field| field.key == key);
    fields.map(|field| field.v_str.clone()).collect()
}

#[test]
fn the_stack_is_resolved_and_the_raw_one_stands_beside_it() {
    let server = crashed(Start::new());
    for fields in [fields_of_http, fields_of_grpc] {
        assert_eq!(fields(&server, STACK), [healed(HASHED)]);
        assert_eq!(fields(&server, RAW), [HASHED]);
    }
    // A search gives traces, too.
    let found = get_json(
        &server,
        "/api/traces?service=shop&start=0&end=9999999999999999",
    );
    assert!(found.to_string().contains(PLACE), "{found:#}");
}

#[test]
fn a_switch_leaves_stacks_as_they_came() {
    let server = crashed(Start::new().arg("--sourcemaps-resolve-for-jaeger=false"));
    for fields in [fields_of_http, fields_of_grpc] {
        assert_eq!(fields(&server, STACK), [HASHED]);
        assert!(fields(&server, RAW).is_empty());
    }
}

#[test]
fn a_stack_that_nothing_resolves_has_no_second_field() {
    let server = Backtrail::start();
    SHOP.throws_stack(&server, 1, HASHED);
    for fields in [fields_of_http, fields_of_grpc] {
        assert_eq!(fields(&server, STACK), [HASHED]);
        assert!(fields(&server, RAW).is_empty());
    }
}

#[test]
fn otlp_answers_and_exports_are_what_came() {
    let server = crashed(Start::new());
    let dir = tempfile::TempDir::new().unwrap();
    let as_it_came = |name: &str, text: &str| {
        assert!(text.contains(RAW_PLACE), "{name}: {text}");
        assert!(!text.contains("payment.js"), "{name}: {text}");
        assert!(!text.contains(RAW), "{name}: {text}");
    };
    for path in [
        format!("/api/v1/traces/{TRACE}"),
        format!("/api/v3/traces/{TRACE}"),
    ] {
        let found: Value = get_json(&server, &path);
        as_it_came(&path, &found.to_string());
    }
    let url = server.url("web", "");
    for format in ["otlp", "jaeger", "zipkin"] {
        let args = [
            "export",
            "--server",
            &url,
            "--service",
            "shop",
            "--format",
            format,
        ];
        let output = run_in(dir.path(), &args, &[]);
        assert!(output.status.success(), "{output:?}");
        as_it_came(format, &stdout(&output));
    }
}
