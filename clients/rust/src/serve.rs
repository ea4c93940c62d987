//! An HTTP service whose spans continue the trace of whoever asks.

use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use opentelemetry::trace::{Span, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::HeaderExtractor;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) async fn until_asked_to_end() -> Result<()> {
    let mut asked_to_end = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listens on http://{}", listener.local_addr()?);
    loop {
        tokio::select! {
            _ = asked_to_end.recv() => return Ok(()),
            accepted = listener.accept() => {
                let connection = TokioIo::new(accepted?.0);
                tokio::spawn(async move {
                    let served = http1::Builder::new().serve_connection(connection, service_fn(answer)).await;
                    if let Err(error) = served {
                        eprintln!("a connection broke: {error}");
                    }
                });
            }
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let parent = global::get_text_map_propagator(|propagator| {
        propagator.extract(&HeaderExtractor(request.headers()))
    });
    let tracer = global::tracer("backtrail.hop");
    let server = tracer
        .span_builder("GET /")
        .with_kind(SpanKind::Server)
        .with_attributes([KeyValue::new("http.request.method", "GET")]);
    let in_server = Context::new().with_span(tracer.build_with_context(server, &parent));

    let mut work = tracer.start_with_context("the last step", &in_server);
    work.set_attribute(KeyValue::new("hop.language", "rust"));
    work.end();

    in_server.span().end();
    Ok(Response::new(Full::from("rust")))
}
