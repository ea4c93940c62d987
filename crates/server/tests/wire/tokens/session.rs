//! The page's login: `/api/v1/session`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Closed, STRANGER, tokens};
use crate::running::{Reply, agent, try_post};

const SESSION: &str = "/api/v1/session";

fn log_in(closed: &Closed, token: &str, headers: &[(&str, &str)]) -> Reply {
    let body = json!({ "token": token }).to_string();
    let url = closed.server.url("web", SESSION);
    try_post(&agent(), &url, headers, body.as_bytes()).unwrap()
}

/// Name and value of the cookie that a reply sets.
fn cookie(reply: &Reply) -> String {
    let whole = reply.header("Set-Cookie");
    whole.split(';').next().unwrap().to_owned()
}

fn get_with(closed: &Closed, listener: &str, path: &str, cookie: &str) -> Reply {
    let request = agent().get(closed.server.url(listener, path));
    Reply::from(request.header("Cookie", cookie).call().unwrap())
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn a_session_begins_with_a_token_and_reads() {
    let closed = Closed::with(&["read"]);
    let before = json_of(&closed.get(None, "web", SESSION));
    assert_eq!(before, json!({"needs_token": true, "token": null}));
    let reply = log_in(&closed, closed.token("read"), &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let known = json!({"needs_token": true, "token": {"name": "read", "scopes": ["read"]}});
    assert_eq!(json_of(&reply), known);
    let whole = reply.header("Set-Cookie");
    assert!(whole.contains("; HttpOnly; SameSite=Strict"), "{whole}");
    assert!(!whole.contains("Secure"), "{whole}");
    assert!(!whole.contains(closed.token("read")), "{whole}");

    let cookie = cookie(&reply);
    assert_eq!(
        get_with(&closed, "web", "/api/v1/services", &cookie).status,
        200
    );
    assert_eq!(json_of(&get_with(&closed, "web", SESSION, &cookie)), known);
}

#[test]
fn behind_https_the_cookie_is_secure() {
    let closed = Closed::with(&["read"]);
    let headers = [("X-Forwarded-Proto", "https")];
    let reply = log_in(&closed, closed.token("read"), &headers);
    assert!(reply.header("Set-Cookie").ends_with("; Secure"));
}

#[test]
fn a_cookie_counts_for_reading_at_the_page_and_for_nothing_else() {
    let closed = Closed::with(&["admin", "ingest", "read", "upload"]);
    let cookie = cookie(&log_in(&closed, closed.token("admin"), &[]));
    assert_eq!(get_with(&closed, "web", "/metrics", &cookie).status, 200);
    assert_eq!(
        get_with(&closed, "zipkin", "/api/v2/services", &cookie).status,
        401
    );
    let headers = [("Content-Type", "application/json"), ("Cookie", &cookie)];
    let url = closed.server.url("otlp-http", "/v1/traces");
    let reply = try_post(&agent(), &url, &headers, b"{}").unwrap();
    assert_eq!(reply.status, 401);
    // What the cookie holds is no token.
    let (_, secret) = cookie.split_once('=').unwrap();
    let as_token = closed.get(Some(&super::bearer(secret)), "web", "/api/v1/services");
    assert_eq!(as_token.status, 401);
}

#[test]
fn a_session_deletes_with_an_admin_token_and_not_for_another_site() {
    let closed = Closed::with(&["admin", "read"]);
    let delete = |scopes: &str, origin: &str| {
        let cookie = cookie(&log_in(&closed, closed.token(scopes), &[]));
        let request = agent().delete(closed.server.url("web", "/api/v1/traces/7"));
        let request = request.header("Cookie", cookie).header("Origin", origin);
        request.call().unwrap().status().as_u16()
    };
    let own = closed.server.url("web", "");
    assert_eq!(delete("admin", &own), 200);
    assert_eq!(delete("admin", "https://evil.example"), 403);
    assert_eq!(delete("read", &own), 403);
}

#[test]
fn a_token_that_is_not_good_for_reading_begins_no_session() {
    let closed = Closed::with(&["read", "upload"]);
    for (token, status) in [
        (STRANGER, 401),
        (closed.token("upload"), 403),
        ("", 400),
        ("a b", 400),
    ] {
        let reply = log_in(&closed, token, &[]);
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(reply.header("Set-Cookie"), "");
        assert!(token.is_empty() || !reply.text().contains(token));
    }
    let url = closed.server.url("web", SESSION);
    let large = vec![b' '; 100_000];
    for body in [&b"{"[..], b"[]", br#"{"token":7}"#, &large] {
        let reply = try_post(&agent(), &url, &[], body).unwrap();
        assert_eq!(reply.status, 400, "{}", reply.text());
    }
}

#[test]
fn a_page_of_another_site_cannot_log_somebody_in_or_out() {
    let closed = Closed::with(&["read"]);
    let foreign = [("Origin", "https://evil.example")];
    assert_eq!(log_in(&closed, closed.token("read"), &foreign).status, 403);
    let request = agent().delete(closed.server.url("web", SESSION));
    let reply = request
        .header("Sec-Fetch-Site", "cross-site")
        .call()
        .unwrap();
    assert_eq!(reply.status(), 403);
}

#[test]
fn logging_out_has_the_browser_forget() {
    let closed = Closed::with(&["read"]);
    let cookie = cookie(&log_in(&closed, closed.token("read"), &[]));
    let request = agent().delete(closed.server.url("web", SESSION));
    let reply = Reply::from(request.header("Cookie", &cookie).call().unwrap());
    assert_eq!(reply.status, 200);
    assert!(reply.header("Set-Cookie").contains("=; Path=/; Max-Age=0;"));
    assert_eq!(json_of(&reply)["token"], Value::Null);
}

#[test]
fn a_session_outlives_the_server_and_ends_with_its_token() {
    let mut closed = Closed::with(&["read", "read+ingest"]);
    let cookie_of = |closed: &Closed| cookie(&log_in(closed, closed.token("read"), &[]));
    let cookie = cookie_of(&closed);
    let data_dir = closed.server.data_dir().to_owned();
    closed.server.stop();
    let port = closed.server.address("web").port();
    let start = crate::running::Start::new().data_dir(&data_dir);
    closed.server = start.arg(format!("--web={port}")).start();
    let reads = |closed: &Closed| get_with(closed, "web", "/api/v1/services", &cookie).status;
    assert_eq!(reads(&closed), 200);

    assert!(tokens(&data_dir, &["revoke", "read"]).status.success());
    let deadline = Instant::now() + Duration::from_mins(1);
    while reads(&closed) != 401 {
        assert!(Instant::now() < deadline, "the session goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}
