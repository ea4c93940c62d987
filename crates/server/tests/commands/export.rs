//! Traces of a running server as a file, and back.

use std::path::Path;
use std::process::Output;

use prost::Message;
use tempfile::TempDir;

use crate::running::{Backtrail, otlp, post, run_in};

fn server_with(traces: u128) -> Backtrail {
    let server = Backtrail::start();
    for trace in 1..=traces {
        let headers = [("Content-Type", "application/x-protobuf")];
        let body = otlp::trace(trace, 3).encode_to_vec();
        assert_eq!(
            post(&server.url("otlp-http", "/v1/traces"), &headers, &body).status,
            200
        );
    }
    server
}

fn export(server: &Backtrail, dir: &Path, args: &[&str]) -> Output {
    run_in(
        dir,
        &[&["export", "--server", &server.url("web", "")], args].concat(),
        &[],
    )
}

/// A trace as OTLP JSON, as the API gives it.
fn trace(server: &Backtrail, trace: u128) -> serde_json::Value {
    let (status, body) = server.get(&format!("/api/v1/traces/{trace:032x}"));
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

#[test]
fn what_a_search_finds_is_exported_and_imported_again() {
    let dir = TempDir::new().unwrap();
    // More than a page.
    let server = server_with(130);
    for format in ["otlp", "jaeger", "zipkin"] {
        let file = format!("all.{format}.json");
        let output = export(
            &server,
            dir.path(),
            &["--service", "shop", "--format", format, "-o", &file],
        );
        assert!(output.status.success(), "{output:?}");
        let other = Backtrail::start();
        let imported = run_in(
            dir.path(),
            &["import", &file, "--server", &other.url("otlp-http", "")],
            &[],
        );
        assert!(imported.status.success(), "{imported:?}");
        let text = String::from_utf8(imported.stdout).unwrap();
        assert!(
            text.ends_with("390 spans read, 390 accepted, 0 rejected\n"),
            "{text}"
        );
        assert_eq!(other.stored_spans(), 390);
        if format == "otlp" {
            for number in [1, 77, 130] {
                assert_eq!(trace(&other, number), trace(&server, number));
            }
        }
    }
}

#[test]
fn traces_are_exported_by_id_and_missing_ones_are_named() {
    let dir = TempDir::new().unwrap();
    let server = server_with(3);
    let output = export(&server, dir.path(), &["1", "3"]);
    assert!(output.status.success(), "{output:?}");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["resourceSpans"].as_array().unwrap().len(), 2);

    let output = export(
        &server,
        dir.path(),
        &["2", "77", "--format", "zipkin", "-o", "some.json"],
    );
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("not there: 00000000000000000000000000000077"),
        "{error}"
    );
    let kept = std::fs::read(dir.path().join("some.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(document.as_array().unwrap().len(), 3);
}

#[test]
fn a_limit_is_kept_and_a_search_that_makes_no_sense_is_explained() {
    let dir = TempDir::new().unwrap();
    let server = server_with(5);
    let output = export(&server, dir.path(), &["--limit", "2", "--format", "jaeger"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["data"].as_array().unwrap().len(), 2);
    let output = export(&server, dir.path(), &["--kind", "sever"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("parameter kind"), "{error}");
}
