//! Requests that share a thread, a connection or a layer.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, Response};
use axum::routing::get;
use backtrail::testing::Recorder;
use backtrail::{current_trace_id, in_span};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceExt};

use crate::exchange::{get as request, send};

#[tokio::test]
async fn many_requests_on_one_thread_stay_in_their_own_traces() {
    let traces = Recorder::new();
    let handler = async |Path(number): Path<u32>| {
        for _ in 0..number % 7 {
            tokio::task::yield_now().await;
        }
        in_span("work", (), async |_| tokio::task::yield_now().await).await;
        current_trace_id().unwrap().to_string()
    };
    let app = Router::new()
        .route("/orders/{number}", get(handler))
        .layer(traces.tracing().http_server());
    let calls = (1..=100_u32).map(|number| {
        let mut asked = request(&format!("/orders/{number}"));
        let caller = format!("00-{number:032x}-{number:016x}-01");
        let headers = asked.headers_mut();
        headers.insert("traceparent", caller.parse().unwrap());
        let app = app.clone();
        async move { (number, send(app, asked).await) }
    });
    for (number, response) in join_all(calls).await {
        let trace_id = format!("{number:032x}");
        assert_eq!(response.headers()["x-trace-id"], trace_id);
        assert_eq!(*response.body(), trace_id);
        assert!(!Context::current().has_active_span());
    }
    let spans = traces.spans();
    assert_eq!(spans.len(), 200);
    for work in spans.iter().filter(|span| span.name == "work") {
        let parent = spans
            .iter()
            .find(|span| span.span_context.span_id() == work.parent_span_id)
            .unwrap();
        assert_eq!(parent.span_context.trace_id(), work.span_context.trace_id());
        assert_eq!(
            u64::from_be_bytes(parent.parent_span_id.to_bytes()),
            u128::from_be_bytes(work.span_context.trace_id().to_bytes()) as u64
        );
    }
}

fn connect<S, B>(service: S) -> DuplexStream
where
    S: Service<Request<hyper::body::Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let (client, server) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let service = TowerToHyperService::new(service);
        auto::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(server), service)
            .await
            .unwrap();
    });
    client
}

fn asked(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("http://shop.example{path}");
    Request::get(uri).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn a_stream_of_http_2_that_is_reset_is_cancelled_and_its_neighbour_is_not() {
    let traces = Recorder::new();
    let (pieces, received) = mpsc::unbounded_channel::<Result<_, Infallible>>();
    let received = std::sync::Arc::new(std::sync::Mutex::new(Some(received)));
    let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let received = received.clone();
        async move {
            let body = if request.uri().path() == "/endless" {
                let mut received = received.lock().unwrap().take().unwrap();
                let next = futures_util::stream::poll_fn(move |cx| received.poll_recv(cx));
                Body::new(StreamBody::new(next))
            } else {
                Body::from("short")
            };
            Ok::<_, Infallible>(Response::new(body))
        }
    });
    let layer = traces.tracing().http_server();
    let io = TokioIo::new(connect(layer.layer(service)));
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);

    let endless = client.send_request(asked("/endless")).await.unwrap();
    let frame = http_body::Frame::data(Bytes::from_static(b"piece"));
    pieces.send(Ok(frame)).unwrap();
    let mut endless = endless.into_body();
    endless.frame().await.unwrap().unwrap();
    let short = client.send_request(asked("/short")).await.unwrap();
    assert_eq!(short.collect().await.unwrap().to_bytes(), "short");
    assert_eq!(traces.spans().len(), 1);
    drop(endless);
    pieces.closed().await;
    assert_eq!(
        traces.tree_of(&["url.path", "cancelled"]),
        "GET [server] url.path=/endless cancelled=true\n  · cancelled\nGET [server] url.path=/short\n"
    );
}

#[tokio::test]
async fn requests_of_one_connection_are_traces_of_their_own() {
    let traces = Recorder::new();
    let app = Router::new()
        .route("/order", get(async || "an order"))
        .layer(traces.tracing().http_server());
    let service = app.map_request(|request: Request<hyper::body::Incoming>| request.map(Body::new));
    let io = TokioIo::new(connect(service));
    let (mut client, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        client.ready().await.unwrap();
        let response = client.send_request(asked("/order")).await.unwrap();
        response.collect().await.unwrap();
    }
    let spans = traces.spans();
    assert_eq!(spans.len(), 3);
    for (index, span) in spans.iter().enumerate() {
        assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
        let before = &spans[..index];
        let is_new = |other: &opentelemetry_sdk::trace::SpanData| {
            other.span_context.trace_id() != span.span_context.trace_id()
        };
        assert!(before.iter().all(is_new));
    }
}

#[tokio::test]
async fn a_layer_that_is_there_twice_makes_one_span_below_the_other() {
    for caller in [
        None,
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ] {
        let traces = Recorder::new();
        let layer = traces.tracing().http_server();
        let app = Router::new().route("/order", get(async || "an order"));
        let service = layer.layer(app.layer(layer.clone()));
        let mut asked = request("/order");
        if let Some(caller) = caller {
            let headers = asked.headers_mut();
            headers.insert("traceparent", caller.parse().unwrap());
        }
        send(service, asked).await;
        let spans = traces.spans();
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[0].name, "GET /order");
        assert_eq!(
            spans[0].parent_span_id,
            spans[1].span_context.span_id(),
            "{caller:?}"
        );
    }
}
