//! How spans of requests end that do not end well.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use backtrail::testing::Recorder;
use tokio::sync::oneshot;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::{get as request, send};

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    let traces = Recorder::new();
    let handler = async || -> &'static str {
        tokio::task::yield_now().await;
        panic!("no order 7")
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(traces.tracing().http_server());
    let task = tokio::spawn(app.oneshot(request("/")));
    let payload = task.await.unwrap_err().into_panic();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"no order 7"));
    assert_eq!(
        traces.tree_of(&["error.type", "exception.message"]),
        "GET / [server] error `no order 7` error.type=panic\n  · exception exception.message=no order 7\n"
    );
}

#[tokio::test]
async fn a_panic_before_the_first_await_is_recorded_too() {
    let traces = Recorder::new();
    let service = service_fn(
        |_: Request<Body>| -> std::future::Ready<Result<Response<Body>, std::fmt::Error>> {
            panic!("at once")
        },
    );
    let service = traces.tracing().http_server().layer(service);
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut service = service;
        drop(tower::Service::call(&mut service, request("/")));
    }));
    assert!(panicked.is_err());
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "GET [server] error `at once` error.type=panic\n  · exception\n"
    );
}

#[tokio::test]
async fn a_request_that_is_given_up_is_cancelled() {
    let traces = Recorder::new();
    let (started, has_started) = oneshot::channel();
    let started = std::sync::Mutex::new(Some(started));
    let handler = async move || {
        if let Some(started) = started.lock().unwrap().take() {
            started.send(()).unwrap();
        }
        std::future::pending::<&'static str>().await
    };
    let handler = std::sync::Arc::new(handler);
    let app = Router::new()
        .route("/", get(move || async move { handler().await }))
        .layer(traces.tracing().http_server());
    tokio::select! {
        response = app.oneshot(request("/")) => panic!("{response:?}"),
        result = has_started => result.unwrap(),
    }
    assert_eq!(
        traces.tree_of(&["cancelled", "http.response.status_code"]),
        "GET / [server] cancelled=true\n  · cancelled\n"
    );
}

/// Gives something back when it is dropped.
struct Lease;

impl Drop for Lease {
    fn drop(&mut self) {
        backtrail::in_span_sync("give back", (), |_| ());
    }
}

#[tokio::test]
async fn what_a_cancelled_handler_drops_is_below_its_request() {
    let traces = Recorder::new();
    let handler = async || {
        let _lease = Lease;
        std::future::pending::<&'static str>().await
    };
    let app = Router::new()
        .route("/", get(handler))
        .layer(traces.tracing().http_server());
    let mut waiting = Box::pin(app.oneshot(request("/")));
    let poll_once = std::future::poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    });
    poll_once.await;
    drop(waiting);
    assert_eq!(
        traces.tree_of(&[]),
        "GET / [server]\n│ · cancelled\n└ give back\n"
    );
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded() {
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>(std::fmt::Error));
    let service = traces.tracing().http_server().layer(service);
    let error = service.oneshot(request("/")).await.unwrap_err();
    assert_eq!(error, std::fmt::Error);
    assert_eq!(
        traces.tree_of(&["error.type", "exception.type"]),
        "GET [server] error `an error occurred when formatting an argument` error.type=core::fmt::Error\n  \
         · exception exception.type=core::fmt::Error\n"
    );
}

#[tokio::test]
async fn an_upgrade_ends_with_its_head() {
    let traces = Recorder::new();
    let handler = async || {
        let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
        response
            .header("upgrade", "websocket")
            .body(Body::empty())
            .unwrap()
    };
    let app = Router::new()
        .route("/socket", get(handler))
        .layer(traces.tracing().http_server());
    let response = app.oneshot(request("/socket")).await.unwrap();
    assert_eq!(
        traces.tree_of(&["http.response.status_code"]),
        "GET /socket [server] http.response.status_code=101\n"
    );
    drop(response);
}

#[tokio::test]
async fn what_has_no_body_ends_with_its_head() {
    let traces = Recorder::new();
    let app = Router::new()
        .route("/", get(async || StatusCode::NO_CONTENT))
        .layer(traces.tracing().http_server());
    let response = app.clone().oneshot(request("/")).await.unwrap();
    let mut head = request("/");
    *head.method_mut() = http::Method::HEAD;
    send(app, head).await;
    assert_eq!(traces.tree_of(&[]), "GET / [server]\nHEAD / [server]\n");
    drop(response);
}
