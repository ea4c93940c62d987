//! What is recorded of reqwest's errors.

use std::error::Error;
use std::fmt;
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

struct Failing;

impl http_body::Body for Failing {
    type Data = Bytes;
    type Error = Endless;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Endless>>> {
        Poll::Ready(Some(Err(Endless)))
    }
}

#[tokio::test]
async fn an_error_whose_sources_never_end_is_told_and_holds_nobody_up() {
    let traces = Recorder::new();
    let url = format!("http://{}/orders", orders().await);
    let request = reqwest::Client::new().post(url);
    let request = request.body(reqwest::Body::wrap(Failing));
    traces
        .run(async { request.traced().await })
        .await
        .unwrap_err();
    assert_eq!(
        traces.tree_of(&["error.type"]),
        "POST [client] error `can't send the request: round and round` error.type=reqwest::Error\n  · exception\n"
    );
}
