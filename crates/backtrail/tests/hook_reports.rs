//! What is logged of hooks that panic. It is alone in its process: other tests that log at the same time make `tracing` forget who listens.

#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, Response};
use backtrail::testing::Recorder;
use tower::{Layer, ServiceExt, service_fn};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_hook_that_panics_is_told_once() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);
    let traces = Recorder::new();
    lines.0.lock().unwrap().clear();
    let layer = traces
        .tracing()
        .http_server()
        .request_hook(|_, request| panic!("no user at {}", request.uri.path()))
        .response_hook(|_, _| std::panic::panic_any(7));
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(())));
    let service = layer.layer(service.map_response(|response| response.map(|()| Body::empty())));
    for _ in 0..3 {
        let request = Request::get("/orders").body(Body::empty()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        told,
        "ERROR backtrail: a hook of HTTP panicked; its later panics are not told hook=\"request_hook\" panic=\"no user at /orders\"\n\
         ERROR backtrail: a hook of HTTP panicked; its later panics are not told hook=\"response_hook\" panic=\"a value that is not text\"\n"
    );
    assert_eq!(traces.spans().len(), 3);
}
