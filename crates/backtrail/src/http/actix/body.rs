//! The body of a response, which ends the span.

use std::error::Error;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use crate::Exception;
use crate::http::exchange::{Exchange, run_in};

pin_project! {
    /// The body of a traced response, piece by piece as the service made it; the span ends with it.
    #[derive(Debug)]
    pub struct ActixBody<B> {
        #[pin]
        body: B,
        exchange: Option<Exchange>,
        // Bytes that are still to come, if that is known.
        left_len_bytes: Option<u64>,
    }
}

impl<B: MessageBody> ActixBody<B> {
    pub(super) fn new(body: B, exchange: Option<Exchange>) -> Self {
        let left_len_bytes = match body.size() {
            BodySize::None => Some(0),
            BodySize::Sized(len_bytes) => Some(len_bytes),
            BodySize::Stream => None,
        };
        let mut body = Self {
            body,
            exchange,
            left_len_bytes,
        };
        if left_len_bytes == Some(0) {
            finish(&mut body.exchange);
        }
        body
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
        let Some(exchange) = &*this.exchange else {
            return body.poll_next(cx).map_err(Into::into);
        };
        let context = exchange.span().context();
        let polled = match run_in(&context, || body.poll_next(cx).map_err(Into::into)) {
            Ok(polled) => polled,
            Err(payload) => {
                if let Some(exchange) = this.exchange.take() {
                    exchange.panicked(&*payload);
                }
                resume_unwind(payload)
            }
        };
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => finish(this.exchange),
            Poll::Ready(Some(Err(error))) => {
                if let Some(exchange) = this.exchange.take() {
                    exchange.fail_with(|| Exception::details(error));
                }
            }
            Poll::Ready(Some(Ok(piece))) => {
                if let Some(left) = this.left_len_bytes {
                    // A body of known length is not asked for its end.
                    *left = left.saturating_sub(piece.len() as u64);
                    if *left == 0 {
                        finish(this.exchange);
                    }
                }
            }
        }
        polled
    }
}

fn finish(exchange: &mut Option<Exchange>) {
    if let Some(exchange) = exchange.take() {
        exchange.finish();
    }
}
