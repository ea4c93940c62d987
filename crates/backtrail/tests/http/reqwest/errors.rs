//! What is recorded of reqwest's errors.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use backtrail::http::client::TracedRequest;
use backtrail::testing::Recorder;
use bytes::Bytes;
use http_body::Frame;

use super::orders;

/// Its own source.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("round and round")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

/// The body of a request that can't be read.
struct Failing<E>(Option<E>);

impl<E: Error + Send + Sync + Unpin> http_body::Body for Failing<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

async fn told_of(error: impl Error + Send + Sync + Unpin + 'static) -> String {
    let traces = Recorder::new();
    let url = format!("http://{}/orders", orders().await);
    let request = reqwest::Client::new().post(url);
    let request = request.body(reqwest::Body::wrap(Failing(Some(error))));
    let sent = traces.run(async { request.traced().await }).await;
    assert!(sent.is_err());
    traces.tree_of(&["error.type"])
}

#[tokio::test]
async fn an_error_whose_sources_never_end_is_told_and_holds_nobody_up() {
    assert_eq!(
        told_of(Endless).await,
        "POST [client] error `can't send the request: round and round` error.type=reqwest::Error\n  · exception\n"
    );
}

#[tokio::test]
async fn what_came_too_late_is_a_timeout() {
    assert_eq!(
        told_of(io::Error::new(io::ErrorKind::TimedOut, "no disk")).await,
        "POST [client] error `the request timed out: no disk` error.type=reqwest::Error\n  · exception\n"
    );
}
