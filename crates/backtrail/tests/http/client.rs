//! Spans of a client.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use backtrail::in_span;
use backtrail::testing::Recorder;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::get as request;
use crate::sockets::{client, serve};

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let status = request.uri().path().trim_start_matches('/').parse::<u16>();
    let status = status.map_or(StatusCode::OK, |code| StatusCode::from_u16(code).unwrap());
    let response = Response::builder().status(status);
    Ok(response.body(Body::empty()).unwrap())
}

#[tokio::test]
async fn a_request_is_a_span_that_tells_what_was_asked_of_whom() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_client();
    let layer = layer.url_template(|_| Some("/orders/{id}".to_owned()));
    let client = layer.layer(service_fn(answer));
    traces
        .run(async {
            let request = request("https://shop.example/orders/7?page=2");
            in_span("page", (), async |_| client.oneshot(request).await).await
        })
        .await
        .unwrap();
    assert_eq!(
        traces.tree(),
        "page\n└ GET /orders/{id} [client] http.request.method=GET url.full=https://shop.example/orders/7?page=2 \
         url.template=/orders/{id} server.address=shop.example server.port=443 http.response.status_code=200 \
         network.protocol.version=1.1\n"
    );
}

#[tokio::test]
async fn failures_of_either_side_are_errors() {
    let traces = Recorder::new();
    let client = traces.tracing().http_client().layer(service_fn(answer));
    for path in ["/302", "/404", "/503"] {
        let response = client.clone().oneshot(request(path)).await.unwrap();
        drop(response);
    }
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "GET [client]\nGET [client] error error.type=404\nGET [client] error error.type=503\n"
    );
}

#[tokio::test]
async fn a_request_that_arrives_nowhere_is_an_error_with_its_sources() {
    let traces = Recorder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let request = Request::get(format!("http://{address}/")).body(String::new());
    client(&traces).oneshot(request.unwrap()).await.unwrap_err();
    let tree = traces.tree_of(&["error.type", "exception.type"]);
    assert!(
        tree.starts_with("GET [client] error `client error (Connect)` error.type=hyper_util::"),
        "{tree}"
    );
    let spans = traces.spans();
    let event = &spans[0].events.events[0];
    let stack = event
        .attributes
        .iter()
        .find(|a| a.key.as_str() == "exception.stacktrace");
    let stack = stack.unwrap().value.to_string();
    assert!(stack.contains("Caused by: "), "{stack}");
}

#[tokio::test]
async fn without_a_parent_none_may_be_wanted() {
    let traces = Recorder::new();
    let layer = traces.tracing().http_client().require_parent(true);
    let client = layer.layer(service_fn(answer));
    client.clone().oneshot(request("/")).await.unwrap();
    assert_eq!(traces.tree(), "");
    traces
        .run(async { in_span("page", (), async |_| client.oneshot(request("/")).await).await })
        .await
        .unwrap();
    assert_eq!(traces.tree_of(&[]), "page\n└ GET [client]\n");
}

#[tokio::test]
async fn hooks_and_ignored_requests_are_as_of_a_server() {
    let traces = Recorder::new();
    let layer = traces
        .tracing()
        .http_client()
        .ignore(|request| request.uri.path() == "/health")
        .request_hook(|span, request| span.set("asked", request.uri.path()))
        .response_hook(|span, response| span.set("got", response.status.as_u16()))
        .capture_request_headers(["host"]);
    let client = layer.layer(service_fn(answer));
    for path in ["/health", "/orders"] {
        client.clone().oneshot(request(path)).await.unwrap();
    }
    assert_eq!(
        traces.tree_of(&["asked", "got", "http.request.header.host"]),
        "GET [client] http.request.header.host=[\"shop.example:8080\"] asked=/orders got=200\n"
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_is_cancelled() {
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| {
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    });
    let client = traces.tracing().http_client().layer(service);
    tokio::select! {
        biased;
        _ = client.oneshot(request("/")) => {}
        () = async {} => {}
    }
    assert_eq!(
        traces.tree_of(&["cancelled"]),
        "GET [client] cancelled=true\n  · cancelled\n"
    );
}

#[tokio::test]
async fn the_rest_of_a_response_may_be_left_alone() {
    let traces = Recorder::new();
    let app = Router::new().route("/", get(async || "something"));
    let address = serve(app).await;
    let request = Request::get(format!("http://{address}/")).body(String::new());
    let response = client(&traces).oneshot(request.unwrap()).await.unwrap();
    assert_eq!(traces.tree_of(&[]), "", "the body is not read yet");
    drop(response);
    assert_eq!(traces.tree_of(&["cancelled"]), "GET [client]\n");
}
