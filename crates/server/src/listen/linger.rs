//! Request bodies that are refused unread.
//!
//! Closing a connection while the client still sends makes its machine throw away the reply that
//! says why. So what nobody wants to read is read and dropped for a while.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::request;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;

/// How much is read and dropped.
const MAX_DROPPED_BYTES: usize = 64 << 20;
/// For how long.
const MAX_TIME: Duration = Duration::from_secs(5);

/// A request body that, dropped early, is read on in the background within bounds.
pub(super) struct LingeringBody {
    body: Option<Incoming>,
    reads_on: bool,
}

impl LingeringBody {
    /// Wraps the body of the request with these `parts`.
    pub(super) fn new(parts: &request::Parts, body: Incoming) -> Self {
        // A client that waits for `100 Continue` has sent nothing: reading on would invite it to.
        // HTTP/2 ends the one stream, and the reply comes first.
        let reads_on = parts.version < http::Version::HTTP_2
            && !parts.headers.contains_key(http::header::EXPECT);
        Self {
            body: Some(body),
            reads_on,
        }
    }
}

impl Body for LingeringBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for LingeringBody {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        let (Some(body), true, Ok(runtime)) = (unread, self.reads_on, Handle::try_current()) else {
            return;
        };
        // Nobody waits for it: it ends by itself.
        runtime.spawn(tokio::time::timeout(MAX_TIME, drop_bytes(body)));
    }
}

async fn drop_bytes(mut body: Incoming) {
    let mut dropped = 0;
    while let Some(Ok(frame)) = body.frame().await {
        dropped += frame.data_ref().map_or(0, Buf::remaining);
        if dropped > MAX_DROPPED_BYTES {
            return;
        }
    }
}
