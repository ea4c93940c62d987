//! Headers and bodies that are recorded because somebody asked for them.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::post;
use backtrail::testing::Recorder;

use crate::exchange::send;

fn upload(body: &'static str) -> Request<Body> {
    Request::post("/").body(Body::from(body)).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a redaction may keep all of a body out"
)]
fn text(bytes: &[u8]) -> Option<String> {
    Some(String::from_utf8_lossy(bytes).replace("4711", "****"))
}

fn echo() -> Router {
    Router::new().route("/", post(async |body: String| body))
}

#[tokio::test]
async fn headers_are_recorded_by_name_and_credentials_never() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .capture_request_headers(["X-Tenant", "authorization", "x-missing"])
        .capture_response_headers(["content-type", "set-cookie"]);
    let reply = async || [("set-cookie", "session=secret")];
    let app = Router::new().route("/", post(reply)).layer(layer);
    let mut asked = upload("");
    let headers = asked.headers_mut();
    headers.append("x-tenant", "a".parse().unwrap());
    headers.append("x-tenant", "b".parse().unwrap());
    headers.append("authorization", "Bearer secret".parse().unwrap());
    send(app, asked).await;
    assert_eq!(
        traces.tree_of(&[
            "http.request.header.x-tenant",
            "http.request.header.authorization",
            "http.request.header.x-missing",
            "http.response.header.set-cookie",
        ]),
        "POST / [server] http.request.header.x-tenant=[\"a\",\"b\"] http.request.header.authorization=[\"REDACTED\"] \
         http.response.header.set-cookie=[\"REDACTED\"]\n"
    );
}

#[tokio::test]
async fn bodies_are_recorded_after_redaction_and_go_through_whole() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .capture_response_body(1024, text)
        .capture_request_body(8, text);
    let response = send(echo().layer(layer), upload("pin=4711&name=Ada")).await;
    assert_eq!(response.body(), "pin=4711&name=Ada");
    assert_eq!(
        traces.tree_of(&[
            "http.request.body",
            "http.request.body.truncated",
            "http.response.body",
            "http.response.body.truncated"
        ]),
        "POST / [server] http.request.body=pin=**** http.request.body.truncated=true http.response.body=pin=****&name=Ada\n"
    );
}

#[tokio::test]
async fn a_redaction_may_keep_a_body_out() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .capture_request_body(1024, |_| None);
    let response = send(echo().layer(layer), upload("pin=4711")).await;
    assert_eq!(response.body(), "pin=4711");
    assert!(!traces.tree().contains("4711"));
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_recorded() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server().capture_request_body(8, text);
    let app = Router::new().route("/", post(async || ())).layer(layer);
    send(app, upload("unread")).await;
    assert_eq!(traces.tree_of(&["http.request.body"]), "POST / [server]\n");
}

#[tokio::test]
async fn a_redaction_that_panics_keeps_the_body_out_and_breaks_nothing() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .capture_request_body(3, |bytes| Some(str::from_utf8(bytes).unwrap().to_owned()))
        .capture_response_body(3, |bytes| Some(str::from_utf8(bytes).unwrap().to_owned()));
    let response = send(echo().layer(layer), upload("größe")).await;
    assert_eq!(response.body(), "größe");
    assert_eq!(
        traces.tree_of(&[
            "http.request.body",
            "http.response.body",
            "http.response.status_code"
        ]),
        "POST / [server] http.response.status_code=200\n"
    );
}
