//! Bodies of reqwest: the span is as long as that of the response.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{any, get, post};
use backtrail::http::client::{HttpClientSettings, TracedRequest};
use backtrail::testing::Recorder;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::sockets::serve;

type Pieces = mpsc::UnboundedSender<Result<Frame<Bytes>, Infallible>>;

/// A download of what a test sends.
async fn download() -> (SocketAddr, Pieces) {
    let (pieces, received) = mpsc::unbounded_channel();
    let received = std::sync::Arc::new(std::sync::Mutex::new(Some(received)));
    let handler = async move || {
        let mut received = received.lock().unwrap().take().unwrap();
        let next = futures_util::stream::poll_fn(move |cx| received.poll_recv(cx));
        Body::new(StreamBody::new(next))
    };
    let app = Router::new().route("/file", get(handler));
    (serve(app).await, pieces)
}

fn piece(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

#[tokio::test]
async fn the_span_ends_when_the_body_has_been_read() {
    let traces = Recorder::new();
    let (address, pieces) = download().await;
    let request = reqwest::Client::new().get(format!("http://{address}/file"));
    let mut response = traces.run(async { request.traced().await }).await.unwrap();
    pieces.send(Ok(piece("one"))).unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    assert_eq!(traces.tree_of(&[]), "", "it has not ended");
    drop(pieces);
    assert_eq!(response.chunk().await.unwrap(), None);
    assert_eq!(traces.tree_of(&["cancelled"]), "GET [client]\n");
}

#[tokio::test]
async fn the_span_ends_when_the_response_is_dropped_and_that_is_no_error() {
    let traces = Recorder::new();
    let (address, _pieces) = download().await;
    let request = reqwest::Client::new().get(format!("http://{address}/file"));
    let response = traces.run(async { request.traced().await }).await.unwrap();
    assert_eq!(traces.tree_of(&[]), "");
    drop(response);
    assert_eq!(
        traces.tree_of(&["cancelled", "error.type"]),
        "GET [client]\n"
    );
}

/// Says that there will be ten bytes, sends three, and hangs up.
async fn breaks_off() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let mut len_bytes = 0;
        while !request[..len_bytes].ends_with(b"\r\n\r\n") {
            len_bytes += connection.read(&mut request[len_bytes..]).await.unwrap();
        }
        let response = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\none";
        connection.write_all(response).await.unwrap();
    });
    address
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error_of_the_span() {
    let traces = Recorder::new();
    let url = format!("http://{}/?sig=pass-word", breaks_off().await);
    let settings = HttpClientSettings::new()
        .record_body_sizes(true)
        .capture_response_body(100, text);
    let request = reqwest::Client::new().get(url);
    let response = traces
        .run(async { request.traced_with(&settings).await })
        .await
        .unwrap();
    let error = response.bytes().await.unwrap_err();
    assert!(error.is_decode(), "reqwest says what it says without us");
    let tree = traces.tree_of(&[
        "error.type",
        "http.response.body.size",
        "http.response.body",
    ]);
    assert!(
        tree.starts_with("GET [client] error `the body failed: "),
        "{tree}"
    );
    assert!(
        tree.contains(
            "http.response.body.size=3 http.response.body=one error.type=reqwest::Error\n"
        ),
        "{tree}"
    );
    assert!(!format!("{:?}", traces.spans()).contains("pass-word"));
}

#[tokio::test]
async fn a_response_is_what_it_is_without_tracing() {
    let traces = Recorder::new();
    let app = Router::new()
        .route("/old", get(async || Redirect::temporary("/new")))
        .route("/new", get(async || "something"));
    let address = serve(app).await;
    let request = reqwest::Client::new().get(format!("http://{address}/old"));
    let response = traces.run(async { request.traced().await }).await.unwrap();
    assert_eq!(response.url().as_str(), format!("http://{address}/new"));
    assert_eq!(response.remote_addr(), Some(address));
    assert_eq!(response.content_length(), Some(9));
    assert_eq!(response.version(), reqwest::Version::HTTP_11);
    assert_eq!(response.headers()["content-length"], "9");
    assert_eq!(response.text().await.unwrap(), "something");
    assert_eq!(
        traces.tree_of(&[]),
        "GET [client]\n",
        "redirects are part of it"
    );
}

#[tokio::test]
async fn a_response_without_a_body_ends_the_span() {
    let traces = Recorder::new();
    let app = Router::new().route("/", get(async || "something"));
    let request = reqwest::Client::new().head(format!("http://{}/", serve(app).await));
    let response = traces.run(async { request.traced().await }).await.unwrap();
    assert_eq!(traces.tree_of(&[]), "HEAD [client]\n");
    drop(response);
}

#[tokio::test]
async fn bodies_are_recorded_as_far_as_they_are_asked_for() {
    let app = Router::new()
        .route("/", post(async |body: String| body))
        .route("/again", any(async || Redirect::temporary("/")));
    let address = serve(app).await;
    let settings = HttpClientSettings::new()
        .capture_request_body(8, text)
        .capture_response_body(100, text)
        .record_body_sizes(true);
    let pieces = ["pin=47", "11&a=b"].map(|text| Ok::<_, Infallible>(piece(text)));
    let stream = StreamBody::new(futures_util::stream::iter(pieces));
    for (path, body) in [
        ("", reqwest::Body::from("pin=4711&a=b")),
        // A body that became a stream could not be sent twice.
        ("again", reqwest::Body::from("pin=4711&a=b")),
        ("", reqwest::Body::wrap(stream)),
    ] {
        let traces = Recorder::new();
        let request = reqwest::Client::new().post(format!("http://{address}/{path}"));
        let request = request.body(body);
        let response = traces
            .run(async { request.traced_with(&settings).await })
            .await
            .unwrap();
        assert_eq!(response.text().await.unwrap(), "pin=4711&a=b");
        assert_eq!(
            traces.tree_of(&[
                "http.request.body",
                "http.request.body.size",
                "http.request.body.truncated",
                "http.response.body",
                "http.response.body.size",
                "http.response.body.truncated"
            ]),
            "POST [client] http.request.body.size=12 http.request.body=pin=4711 http.request.body.truncated=true \
             http.response.body.size=12 http.response.body=pin=4711&a=b\n"
        );
    }
}
