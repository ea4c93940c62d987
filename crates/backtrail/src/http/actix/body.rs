//! The body of a response, which ends the span.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use crate::Exception;
use crate::http::body::BodyWatch;

pin_project! {
    /// The body of a traced response, piece by piece as the service made it; the span ends with it.
    #[derive(Debug)]
    pub struct ActixBody<B> {
        #[pin]
        body: B,
        watch: BodyWatch,
    }
}

impl<B> ActixBody<B> {
    pub(super) fn new(body: B, watch: BodyWatch) -> Self {
        Self { body, watch }
    }
}

impl<B: MessageBody> MessageBody for ActixBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let body = this.body;
        let polled = this.watch.poll(|| body.poll_next(cx).map_err(Into::into));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.watch.finish(),
            Poll::Ready(Some(Err(error))) => this.watch.fail(|| Exception::details(error)),
            Poll::Ready(Some(Ok(piece))) => this.watch.data(piece),
        }
        polled
    }
}
