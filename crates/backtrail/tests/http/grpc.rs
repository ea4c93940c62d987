//! Calls of gRPC, with bodies made by hand.

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use backtrail::testing::Recorder;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::send;

const SHOWN: [&str; 7] = [
    "rpc.system.name",
    "rpc.method",
    "rpc.response.status_code",
    "server.address",
    "error.type",
    "http.request.method",
    "rpc.service",
];

fn call(content_type: &str) -> Request<Body> {
    Request::post("http://shop.example/shop.Orders/Get")
        .header("content-type", content_type)
        .body(Body::from("message"))
        .unwrap()
}

/// A message, and the status after it.
fn with_trailers(status: &'static str) -> Ready<Result<Response<Body>, Infallible>> {
    let trailers = async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", status.parse().unwrap());
        Some(Ok(trailers))
    };
    let body = Full::new(Bytes::from_static(b"message")).with_trailers(trailers);
    let response = Response::builder().header("content-type", "application/grpc");
    ready(Ok(response.body(Body::new(body)).unwrap()))
}

async fn serve(traces: &Recorder, status: &'static str) {
    let service = service_fn(move |_: Request<Body>| with_trailers(status));
    let service = traces.tracing().http_server().layer(service);
    send(service, call("application/grpc+proto")).await;
}

#[tokio::test]
async fn a_call_is_named_after_its_method_and_ends_with_its_trailers() {
    let traces = Recorder::new();
    serve(&traces, "0").await;
    assert_eq!(
        traces.tree_of(&SHOWN),
        "shop.Orders/Get [server] rpc.system.name=grpc rpc.method=shop.Orders/Get server.address=shop.example \
         rpc.response.status_code=OK\n"
    );
}

#[tokio::test]
async fn a_server_answers_for_its_own_failures_only() {
    let traces = Recorder::new();
    for status in ["5", "13", "99"] {
        serve(&traces, status).await;
    }
    assert_eq!(
        traces.tree_of(&["rpc.response.status_code", "error.type"]),
        "shop.Orders/Get [server] rpc.response.status_code=NOT_FOUND\n\
         shop.Orders/Get [server] error error.type=INTERNAL rpc.response.status_code=INTERNAL\n\
         shop.Orders/Get [server] error error.type=UNKNOWN rpc.response.status_code=UNKNOWN\n"
    );
}

#[tokio::test]
async fn for_a_client_every_failure_is_an_error() {
    let traces = Recorder::new();
    for status in ["0", "5"] {
        let service = service_fn(move |_: Request<Body>| with_trailers(status));
        let client = traces.tracing().http_client().layer(service);
        let response = client.oneshot(call("application/grpc")).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(
        traces.tree_of(&["rpc.response.status_code", "error.type"]),
        "shop.Orders/Get [client] rpc.response.status_code=OK\n\
         shop.Orders/Get [client] error error.type=NOT_FOUND rpc.response.status_code=NOT_FOUND\n"
    );
}

#[tokio::test]
async fn a_status_without_a_message_is_in_the_head() {
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| {
        let response = Response::builder()
            .header("content-type", "application/grpc+proto")
            .header("grpc-status", "14");
        Ok::<_, Infallible>(response.body(Body::empty()).unwrap())
    });
    let service = traces.tracing().http_server().layer(service);
    let response = service.oneshot(call("application/grpc")).await.unwrap();
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "shop.Orders/Get [server] error error.type=UNAVAILABLE\n"
    );
    drop(response);
}

#[tokio::test]
async fn calls_can_be_switched_off_alone() {
    let traces = Recorder::with(|system| system.disable("grpc"));
    serve(&traces, "0").await;
    assert_eq!(traces.tree(), "");
    let service = service_fn(|_: Request<Body>| with_trailers("0"));
    let service = traces.tracing().http_server().layer(service);
    send(service, call("application/grpc-web")).await;
    assert_eq!(traces.tree_of(&[]), "POST [server]\n");
}

#[tokio::test]
async fn a_path_that_is_no_method_of_the_server_names_no_span() {
    let traces = Recorder::new();
    let unknown = service_fn(async |_: Request<Body>| {
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "12");
        Ok::<_, Infallible>(response.body(Body::empty()).unwrap())
    });
    let of_http = service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::from("a page")))
    });
    let layer = traces.tracing().http_server();
    send(layer.layer(unknown), call("application/grpc")).await;
    send(layer.layer(of_http), call("application/grpc")).await;
    assert_eq!(
        traces.tree_of(&["rpc.method", "rpc.method_original"]),
        "grpc [server] error rpc.method=_OTHER rpc.method_original=shop.Orders/Get\n\
         grpc [server] rpc.method=_OTHER rpc.method_original=shop.Orders/Get\n"
    );
}
