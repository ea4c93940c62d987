//! Traces of others go through, whether or not spans are made.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, Response};
use axum::routing::get;
use backtrail::http::client::HttpClientLayer;
use backtrail::testing::Recorder;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::{get as request, send};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The headers of a call that a service makes while it handles this request.
async fn call_of(traces: &Recorder, incoming: &[(&'static str, &'static str)]) -> HeaderMap {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(HeaderMap::new()));
    let remembers = seen.clone();
    let handler = async move |State(client): State<HttpClientLayer>| {
        let service = service_fn(async |request: Request<Body>| {
            *remembers.lock().unwrap() = request.headers().clone();
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        // As a proxy that copies what it got.
        let mut call = request("http://next.example/");
        call.headers_mut()
            .insert("traceparent", "00-1-stale-01".parse().unwrap());
        client.layer(service).oneshot(call).await.unwrap();
    };
    let app = Router::new()
        .route("/", get(handler))
        .with_state(traces.tracing().http_client())
        .layer(traces.tracing().http_server());
    let mut asked = request("/");
    for &(name, value) in incoming {
        asked.headers_mut().append(name, value.parse().unwrap());
    }
    send(app, asked).await;
    seen.lock().unwrap().clone()
}

#[tokio::test]
async fn a_service_goes_on_with_the_trace_of_its_caller() {
    let traces = Recorder::new();
    let incoming = [
        ("traceparent", TRACEPARENT),
        ("tracestate", "a=1"),
        ("baggage", "tenant=7"),
    ];
    let call = call_of(&traces, &incoming).await;
    let traceparent = call["traceparent"].to_str().unwrap();
    assert!(traceparent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    assert!(!traceparent.contains("b7ad6b7169203331"));
    assert_eq!(call.get_all("traceparent").iter().count(), 1);
    assert_eq!(call["tracestate"], "a=1");
    assert_eq!(call["baggage"], "tenant=7");
    assert_eq!(
        traces.tree_of(&[]),
        "GET / [server] (parent elsewhere)\n└ GET [client]\n"
    );
}

#[tokio::test]
async fn without_spans_the_callers_trace_goes_on_as_it_came() {
    for traces in [
        Recorder::with(|system| system.enabled(false)),
        Recorder::with(|system| system.disable("http")),
    ] {
        let call = call_of(&traces, &[("traceparent", TRACEPARENT)]).await;
        assert_eq!(call["traceparent"], TRACEPARENT);
        assert_eq!(traces.tree(), "");
    }
}

#[tokio::test]
async fn without_a_client_instrumentation_the_servers_span_is_the_parent() {
    let traces = Recorder::with(|system| system.disable("http-client"));
    let call = call_of(&traces, &[]).await;
    let spans = traces.spans();
    let span_id = spans[0].span_context.span_id().to_string();
    assert!(call["traceparent"].to_str().unwrap().contains(&span_id));
}

#[tokio::test]
async fn a_request_without_a_trace_stays_without_one_when_tracing_is_off() {
    let traces = Recorder::with(|system| system.enabled(false));
    let app = Router::new()
        .route("/", get(async || "ok"))
        .layer(traces.tracing().http_server());
    let response = send(app, request("/")).await;
    assert_eq!(response.body(), "ok");
    assert!(!response.headers().contains_key("x-trace-id"));
}

#[tokio::test]
async fn an_ignored_request_still_hands_its_trace_on() {
    let traces = Recorder::new();
    let context_seen = async || {
        backtrail::current_trace_id()
            .map(|id| id.to_string())
            .unwrap()
    };
    let app = Router::new()
        .route("/", get(context_seen))
        .layer(traces.tracing().http_server().ignore(|_| true));
    let mut asked = request("/");
    asked
        .headers_mut()
        .insert("traceparent", TRACEPARENT.parse().unwrap());
    let response = send(app, asked).await;
    assert_eq!(response.body(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(traces.tree(), "");
}
