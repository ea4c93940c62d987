//! `OTEL_SEMCONV_STABILITY_OPT_IN=http/dup`: the names of before as well.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use backtrail::Environment;
use backtrail::testing::Recorder;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::{get as request, send};

fn both_names() -> Recorder {
    let environment = Environment::of([("OTEL_SEMCONV_STABILITY_OPT_IN", "http/dup")]);
    Recorder::with(|system| system.environment(environment))
}

#[tokio::test]
async fn a_server_span_has_both_names() {
    let traces = both_names();
    let app = Router::new()
        .route("/a", get(async || ""))
        .layer(traces.tracing().http_server());
    send(app, request("/a?b=c")).await;
    assert_eq!(
        traces.tree_of(&[
            "http.method",
            "http.target",
            "http.scheme",
            "http.flavor",
            "net.host.name",
            "net.host.port",
            "http.status_code",
            "http.response.status_code",
        ]),
        "GET /a [server] http.method=GET http.target=/a?b=c http.scheme=http net.host.name=shop.example net.host.port=8080 \
         http.flavor=1.1 http.response.status_code=200 http.status_code=200\n"
    );
}

#[tokio::test]
async fn a_client_span_has_both_names() {
    let traces = both_names();
    let service = service_fn(async |_: Request<Body>| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    });
    let client = traces.tracing().http_client().layer(service);
    client
        .oneshot(request("http://shop.example/a?b=c"))
        .await
        .unwrap();
    assert_eq!(
        traces.tree_of(&[
            "http.method",
            "http.url",
            "net.peer.name",
            "net.peer.port",
            "http.status_code",
            "http.flavor"
        ]),
        "GET [client] http.method=GET http.url=http://shop.example/a?b=c net.peer.name=shop.example net.peer.port=80 \
         http.status_code=200 http.flavor=1.1\n"
    );
}

#[tokio::test]
async fn sizes_have_both_names() {
    let traces = both_names();
    let layer = traces.tracing().http_server().record_body_sizes(true);
    let app = Router::new().route("/a", get(async || "abc")).layer(layer);
    let mut asked = request("/a");
    let headers = asked.headers_mut();
    headers.insert("content-length", "0".parse().unwrap());
    send(app, asked).await;
    assert_eq!(
        traces.tree_of(&[
            "http.request_content_length",
            "http.request.body.size",
            "http.response_content_length",
            "http.response.body.size",
        ]),
        "GET /a [server] http.request.body.size=0 http.request_content_length=0 http.response.body.size=3 \
         http.response_content_length=3\n"
    );
}
