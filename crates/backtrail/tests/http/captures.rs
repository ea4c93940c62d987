//! Headers and bodies that are recorded because somebody asked for them.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::post;
use backtrail::http::client::CapturedBody;
use backtrail::testing::Recorder;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::send;
use crate::sockets::serve;

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

#[tokio::test]
async fn sizes_are_recorded_without_the_bodies() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_server().record_body_sizes(true);
    let mut asked = upload("größe");
    let headers = asked.headers_mut();
    headers.insert("content-length", "7".parse().unwrap());
    send(echo().layer(layer), asked).await;
    assert_eq!(
        traces.tree_of(&[
            "http.request.body",
            "http.request.body.size",
            "http.response.body",
            "http.response.body.size",
        ]),
        "POST / [server] http.request.body.size=7 http.response.body.size=7\n"
    );
}

#[tokio::test]
async fn a_client_records_bodies_after_redaction_and_they_go_through_whole() {
    let app = Router::new().route("/", post(async |body: String| body));
    let address = serve(app).await;
    let traces = Recorder::new();
    let client = Client::builder(TokioExecutor::new()).build_http::<CapturedBody<Body>>();
    let layer = traces
        .tracing()
        .http_client()
        .record_body_sizes(true)
        .capture_response_body(100, text)
        .capture_request_body(8, text);
    let request = Request::post(format!("http://{address}/"));
    let request = request.body(Body::from("pin=4711&name=Ada")).unwrap();
    let response = layer.layer(client).oneshot(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes, "pin=4711&name=Ada");
    assert_eq!(
        traces.tree_of(&[
            "http.request.body",
            "http.request.body.size",
            "http.request.body.truncated",
            "http.response.body",
            "http.response.body.size",
            "http.response.body.truncated"
        ]),
        "POST [client] http.request.body.size=17 http.request.body=pin=**** http.request.body.truncated=true \
         http.response.body.size=17 http.response.body=pin=****&name=Ada\n"
    );
}

#[tokio::test]
async fn of_a_response_that_a_client_leaves_alone_its_beginning_is_recorded() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_client();
    let layer = layer.capture_response_body(100, text);
    let pieces = ["one", "two"].map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
    let body = Body::new(StreamBody::new(futures_util::stream::iter(pieces)));
    let mut body = Some(body);
    let service = service_fn(move |_: Request<Body>| {
        let response = Response::new(body.take().unwrap());
        async move { Ok::<_, Infallible>(response) }
    });
    let client = layer.layer(service);
    let response = client.oneshot(upload("")).await.unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(
        traces.tree_of(&["http.response.body", "cancelled"]),
        "POST [client] http.response.body=one\n"
    );
}

#[tokio::test]
async fn of_urls_in_recorded_headers_the_secrets_are_redacted() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_server()
        .redact_query_keys(["voucher"])
        .capture_request_headers(["referer"])
        .capture_response_headers(["location"]);
    let reply = async || [("location", "/done?voucher=secret&page=2")];
    let app = Router::new().route("/", post(reply)).layer(layer);
    let mut asked = upload("");
    let referer = "https://ada:secret@shop.example/?voucher=secret&page=1";
    let headers = asked.headers_mut();
    headers.append("referer", referer.parse().unwrap());
    send(app, asked).await;
    assert_eq!(
        traces.tree_of(&[
            "http.request.header.referer",
            "http.response.header.location"
        ]),
        "POST / [server] \
         http.request.header.referer=[\"https://REDACTED:REDACTED@shop.example/?voucher=REDACTED&page=1\"] \
         http.response.header.location=[\"/done?voucher=REDACTED&page=2\"]\n"
    );
}

#[tokio::test]
async fn a_request_body_is_recorded_at_its_end_and_need_not_be_dropped() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_client();
    let kept = Arc::new(Mutex::new(None));
    let keeper = kept.clone();
    let service = service_fn(move |request: Request<CapturedBody<Body>>| {
        let (mut body, keeper) = (request.into_body(), keeper.clone());
        async move {
            body.frame().await.unwrap().unwrap();
            *keeper.lock().unwrap() = Some(body);
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    let client = layer.capture_request_body(100, text).layer(service);
    send(client, upload("pin=4711")).await;
    assert!(kept.lock().unwrap().is_some());
    assert_eq!(
        traces.tree_of(&["http.request.body"]),
        "POST [client] http.request.body=pin=****\n"
    );
}
