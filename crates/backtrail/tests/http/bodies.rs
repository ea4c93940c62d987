//! Bodies that stream: the span is as long as they are.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use backtrail::testing::Recorder;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tower::{Layer, ServiceExt, service_fn};

use crate::exchange::{get as request, send};

type Item = Result<&'static str, std::io::Error>;

/// A body of what a test sends.
struct Stream(mpsc::UnboundedReceiver<Item>);

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let item = self.0.poll_recv(cx);
        item.map(|item| {
            let item = item?;
            backtrail::in_span_sync("piece", (), |_| ());
            Some(item.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))))
        })
    }
}

struct Download {
    traces: Recorder,
    pieces: mpsc::UnboundedSender<Item>,
    body: Body,
}

impl Download {
    async fn start(header: Option<(&'static str, &'static str)>) -> Self {
        let traces = Recorder::new();
        let (pieces, received) = mpsc::unbounded_channel();
        let stream = std::sync::Mutex::new(Some(Stream(received)));
        let stream = std::sync::Arc::new(stream);
        let handler = async move || {
            let mut response = Response::builder();
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            let stream = stream.lock().unwrap().take().unwrap();
            response.body(Body::new(stream)).unwrap()
        };
        let app = Router::new()
            .route("/file", get(handler))
            .layer(traces.tracing().http_server());
        let response = app.oneshot(request("/file")).await.unwrap();
        Self {
            traces,
            pieces,
            body: response.into_body(),
        }
    }

    fn tree(&self) -> String {
        self.traces
            .tree_of(&["http.response.status_code", "cancelled", "error.type"])
    }
}

#[tokio::test]
async fn the_span_ends_with_the_body_and_what_the_body_does_is_below_it() {
    let mut download = Download::start(None).await;
    download.pieces.send(Ok("one")).unwrap();
    let piece = download.body.frame().await.unwrap().unwrap();
    assert_eq!(piece.data_ref().unwrap(), "one");
    assert!(!download.tree().contains("/file"), "it has not ended");
    let Download {
        traces,
        pieces,
        body,
    } = download;
    drop(pieces);
    assert_eq!(body.collect().await.unwrap().to_bytes(), "");
    assert_eq!(
        traces.tree_of(&["http.response.status_code"]),
        "GET /file [server] http.response.status_code=200\n└ piece\n"
    );
}

#[tokio::test]
async fn a_body_of_known_length_ends_with_its_last_byte() {
    let mut download = Download::start(Some(("content-length", "6"))).await;
    for piece in ["one", "two"] {
        assert!(!download.tree().contains("/file"));
        download.pieces.send(Ok(piece)).unwrap();
        download.body.frame().await.unwrap().unwrap();
    }
    assert_eq!(
        download.traces.tree_of(&["cancelled"]),
        "GET /file [server]\n├ piece\n└ piece\n"
    );
}

#[tokio::test]
async fn a_body_of_no_bytes_ends_with_the_head() {
    let mut download = Download::start(Some(("content-length", "0"))).await;
    download.body = Body::empty();
    assert_eq!(
        download.tree(),
        "GET /file [server] http.response.status_code=200\n"
    );
}

#[tokio::test]
async fn a_body_that_knows_its_own_length_ends_with_its_last_byte() {
    struct Sized;
    impl http_body::Body for Sized {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"abc")))))
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(3)
        }
    }
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Sized)));
    let service = traces.tracing().http_server().layer(service);
    let mut body = service.oneshot(request("/")).await.unwrap().into_body();
    assert_eq!(traces.tree(), "");
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(traces.tree_of(&["cancelled"]), "GET [server]\n");
}

#[tokio::test]
async fn a_body_that_is_dropped_is_cancelled() {
    let mut download = Download::start(None).await;
    download.body = Body::empty();
    assert_eq!(
        download.tree(),
        "GET /file [server] http.response.status_code=200 cancelled=true\n  · cancelled\n"
    );
}

#[tokio::test]
async fn a_body_that_fails_is_an_error() {
    let mut download = Download::start(None).await;
    let gone = std::io::Error::other("the disk is gone");
    download.pieces.send(Err(gone)).unwrap();
    download.body.frame().await.unwrap().unwrap_err();
    let tree = download.tree();
    assert!(
        tree.starts_with(
            "GET /file [server] error `the disk is gone` http.response.status_code=200 error.type="
        ),
        "{tree}"
    );
    assert!(tree.contains("· exception"), "{tree}");
}

#[tokio::test]
async fn a_body_that_panics_is_an_error() {
    struct Broken;
    impl http_body::Body for Broken {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("half way")
        }
    }
    let traces = Recorder::new();
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Broken)));
    let service = traces.tracing().http_server().layer(service);
    let task = tokio::spawn(send(service, request("/")));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(
        traces.tree_of(&["http.response.status_code", "error.type"]),
        "GET [server] error `half way` http.response.status_code=200 error.type=panic\n  · exception\n"
    );
}

#[tokio::test]
async fn length_and_end_of_a_body_are_told_as_they_are() {
    use http_body::Body as _;

    let traces = Recorder::new();
    let service =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("abc"))));
    let service = traces.tracing().http_server().layer(service);
    let response = service.oneshot(request("/")).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(3));
    assert!(!response.body().is_end_stream());
    let empty =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let empty = traces.tracing().http_server().layer(empty);
    let response = empty.oneshot(request("/")).await.unwrap();
    assert!(response.body().is_end_stream());
}
