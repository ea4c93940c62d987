//! What a token with the scope `read` closes, and what it opens.

use serde_json::Value;
use tonic::{Code, Status};

use super::{Closed, STRANGER, basic, bearer};
use crate::running::grpc::GrpcClient;
use crate::running::jaeger_query::{Empty, Services};

/// All that is read over HTTP: listener and address.
const READ: &[(&str, &str)] = &[
    ("web", "/api/v1/services"),
    ("web", "/api/v1/status"),
    ("web", "/api/v1/search"),
    ("web", "/api/v1/export"),
    ("web", "/api/v1/openapi.json"),
    ("web", "/api/services"),
    ("web", "/api/dependencies?endTs=1&lookback=1"),
    ("web", "/api/v3/services"),
    ("web", "/zipkin/api/v2/services"),
    ("web", "/metrics"),
    ("zipkin", "/api/v2/services"),
    ("zipkin", "/zipkin/api/v2/services"),
];

#[test]
fn as_soon_as_a_token_may_read_reading_needs_one() {
    let closed = Closed::with(&["read", "upload"]);
    let (reader, uploader) = (closed.bearer("read"), closed.bearer("upload"));
    for (listener, path) in READ {
        for missing in [None, Some(bearer(STRANGER))] {
            let reply = closed.get(missing.as_deref(), listener, path);
            assert_eq!(reply.status, 401, "{path}");
            let challenge = reply.header("WWW-Authenticate");
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert!(challenge.contains(r#"scope="read""#), "{challenge}");
        }
        let wrong = closed.get(Some(&uploader), listener, path);
        assert_eq!(wrong.status, 403, "{path}");
        assert!(
            wrong.text().contains("has no scope read"),
            "{}",
            wrong.text()
        );
        for right in [&reader, &basic(closed.token("read"))] {
            let reply = closed.get(Some(right), listener, path);
            assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        }
    }
}

#[test]
fn each_api_says_so_in_its_own_form() {
    let closed = Closed::with(&["read"]);
    let json = |path: &str| -> Value {
        let reply = closed.get(None, "web", path);
        assert_eq!(reply.header("Content-Type"), "application/json", "{path}");
        serde_json::from_slice(&reply.body).unwrap()
    };
    assert_eq!(json("/api/v1/services")["error"]["code"], "unauthenticated");
    assert_eq!(json("/api/services")["errors"][0]["code"], 401);
    assert_eq!(json("/api/v3/services")["error"]["httpCode"], 401);
    for (listener, path) in [
        ("zipkin", "/api/v2/services"),
        ("web", "/zipkin/api/v2/services"),
    ] {
        let reply = closed.get(None, listener, path);
        assert!(reply.header("Content-Type").starts_with("text/plain"));
        assert!(
            reply
                .text()
                .starts_with("this needs a token with scope read")
        );
    }
}

#[test]
fn health_and_the_pages_files_stay_open() {
    let closed = Closed::with(&["read", "ingest", "admin", "upload"]);
    for (listener, path) in [
        ("web", "/healthz"),
        ("web", "/readyz"),
        ("web", "/zipkin/health"),
        ("zipkin", "/health"),
        ("web", "/"),
        ("web", "/search"),
        ("web", "/api/v1/session"),
    ] {
        assert_eq!(closed.get(None, listener, path).status, 200, "{path}");
    }
    let page = closed.get(None, "web", "/").text();
    let script = page
        .split('"')
        .find(|part| part.ends_with("app.js"))
        .unwrap();
    assert_eq!(closed.get(None, "web", script).status, 200);
}

#[test]
fn a_path_that_is_written_otherwise_opens_nothing() {
    let closed = Closed::with(&["read"]);
    for path in [
        "/api/v1/session/",
        "/api/v1/sessio%6e",
        "//api/v1/services",
        "/api/0/../v1/services",
        "/healthz/../metrics",
        "/zipkin/health/../api/v2/services",
        "/api/v1/services?/api/v1/session",
        "/api/0",
    ] {
        let reply = closed.get(None, "web", path);
        let opened = reply.status == 200 && !reply.text().starts_with("<!doctype html>");
        assert!(!opened, "{path}: {}", reply.text());
    }
}

#[test]
fn the_query_services_over_grpc_need_one_too() {
    let closed = Closed::with(&["read", "ingest"]);
    let client = GrpcClient::connect(closed.server.address("jaeger-query-grpc"));
    for path in [
        "/jaeger.api_v3.QueryService/GetServices",
        "/jaeger.api_v2.QueryService/GetServices",
    ] {
        let call = |authorization: Option<&str>| -> Result<Services, Status> {
            client.call_as(authorization, path, Empty {})
        };
        let status = call(None).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        let status = call(Some(&bearer(STRANGER))).unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        let status = call(Some(&closed.bearer("ingest"))).unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        assert!(status.message().contains("no scope read"), "{status}");
        call(Some(&closed.bearer("read"))).unwrap();
    }
}

#[test]
fn a_read_token_leaves_sending_open() {
    let closed = Closed::with(&["read"]);
    let json = "application/json";
    let reply = closed.post(None, "otlp-http", "/v1/traces", json, b"{}");
    assert_eq!(reply.status, 200);
    let reply = closed.post(None, "zipkin", "/api/v2/spans", json, b"[]");
    assert_eq!(reply.status, 202);
}

#[test]
fn with_a_read_token_deleting_needs_admin() {
    let closed = Closed::with(&["read"]);
    assert_eq!(closed.delete(None, "/api/v1/traces/7").status, 401);
    let reader = closed.bearer("read");
    let reply = closed.delete(Some(&reader), "/api/v1/traces/7");
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("no scope admin"), "{}", reply.text());
    let closed = Closed::with(&["read", "admin"]);
    let admin = closed.bearer("admin");
    assert_eq!(closed.delete(Some(&admin), "/api/v1/traces/7").status, 200);
    closed.server.eventually_logs("by=admin (");
}
