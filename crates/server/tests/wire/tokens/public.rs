//! Listeners that other machines reach.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use super::{Closed, create, data_dir};
use crate::running::{Start, command, run_in};

/// `config check` with these flags.
fn check(data_dir: &Path, flags: &[&str]) -> Output {
    let mut command = command();
    command.args(["config", "check", "--data-dir"]);
    command.arg(data_dir).args(flags).output().unwrap()
}

#[test]
fn a_listener_that_others_reach_needs_tokens_for_what_it_serves() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    let web = "--web=0.0.0.0:16686";
    let otlp = "--otlp-grpc=0.0.0.0:4317";
    let zipkin = "--zipkin=0.0.0.0:9411";
    let says = |flag: &str, words: &str| {
        let output = check(&dir, &[flag]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(words), "{text}");
    };
    let is_good = |flag: &str| assert!(check(&dir, &[flag]).status.success(), "{flag}");
    says(web, "no token with scope read");
    says(otlp, "no token with scope ingest");
    create(&dir, "read");
    is_good(web);
    says(otlp, "no token with scope ingest");
    says(zipkin, "no token with scope ingest");
    create(&dir, "ingest");
    is_good(otlp);
    is_good(zipkin);
}

#[test]
fn datagrams_stay_on_loopback_unless_anybody_is_allowed() {
    let dir = TempDir::new().unwrap();
    let dir = data_dir(&dir);
    create(&dir, "admin");
    let flag = "--jaeger-agent-compact=0.0.0.0:6831";
    let output = check(&dir, &[flag]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("datagrams carry no token"), "{text}");
    assert!(check(&dir, &[flag, "--allow-anonymous"]).status.success());
}

#[test]
fn where_others_reach_it_nothing_is_open_whatever_tokens_there_are() {
    let start = Start::new()
        .arg("--web=0.0.0.0:0")
        .arg("--otlp-http=0.0.0.0:0")
        .arg("--jaeger-sampling=0.0.0.0:0");
    // An admin token closes neither sending nor reading on loopback.
    let closed = Closed::start(start, &["admin"]);
    let admin = closed.bearer("admin");
    let json = "application/json";
    let send = |authorization: Option<&str>| {
        closed.post(authorization, "otlp-http", "/v1/traces", json, b"{}")
    };
    assert_eq!(send(None).status, 401);
    assert_eq!(send(Some(&admin)).status, 200);
    for (listener, path) in [
        ("web", "/api/v1/services"),
        ("web", "/metrics"),
        ("jaeger-sampling", "/sampling?service=shop"),
    ] {
        assert_eq!(closed.get(None, listener, path).status, 401, "{path}");
        assert_eq!(
            closed.get(Some(&admin), listener, path).status,
            200,
            "{path}"
        );
    }
    assert_eq!(closed.get(None, "web", "/healthz").status, 200);
    assert_eq!(closed.get(None, "zipkin", "/api/v2/services").status, 200);
}

#[test]
fn anybody_may_be_allowed_and_a_token_closes_all_the_same() {
    let public = || Start::new().arg("--web=0.0.0.0:0").arg("--allow-anonymous");
    let open = Closed::start(public(), &["upload"]);
    assert_eq!(open.get(None, "web", "/api/v1/services").status, 200);
    let closed = Closed::start(public(), &["read"]);
    assert_eq!(closed.get(None, "web", "/api/v1/services").status, 401);
}

#[test]
fn the_demo_has_no_tokens_and_stays_where_it_is() {
    let dir = TempDir::new().unwrap();
    create(&dir.path().join("backtrail-data"), "ingest");
    let output = run_in(dir.path(), &["demo", "--otlp-http=0.0.0.0:0"], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && text.contains("without tokens"),
        "{text}"
    );
}
