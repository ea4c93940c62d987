//! The body of a response, which ends the span.

use std::fmt::Display;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use ::http::{HeaderMap, header};
use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::capture::BodyRecording;
use super::error::details_of;
use super::exchange::{Exchange, run_in};
use crate::ExceptionDetails;

pin_project! {
    /// The body of a traced response. It is the service's own body, frame by frame; the span ends with it. Frames are produced in the span's
    /// context, so that spans of a streaming handler are below it.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        body: B,
        watch: BodyWatch,
    }
}

/// What is left to watch when the head is there.
#[derive(Debug, Default)]
pub(super) struct BodyWatch {
    // Dropped first, so that the span is told of the body before it ends.
    recording: Option<BodyRecording>,
    exchange: Option<Exchange>,
    /// Bytes that are still to come, if the head said how many, or the body itself.
    left_len_bytes: Option<u64>,
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(body: B, mut watch: BodyWatch) -> Self {
        watch.expect(&body.size_hint());
        if body.is_end_stream() || watch.left_len_bytes == Some(0) {
            watch.finish();
        }
        Self { body, watch }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut body = this.body;
        let polled = this.watch.poll(|| body.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.watch.finish(),
            Poll::Ready(Some(Err(error))) => this.watch.fail(|| details_of(error)),
            Poll::Ready(Some(Ok(frame))) => {
                this.watch.frame(frame);
                // Whoever sends the body need not ask again.
                if body.is_end_stream() {
                    this.watch.finish();
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl BodyWatch {
    pub(super) fn new(
        exchange: Exchange,
        recording: Option<BodyRecording>,
        headers: &HeaderMap,
    ) -> Self {
        // A body of known length is not asked for its end. One of gRPC has trailers.
        let announced = headers.get(header::CONTENT_LENGTH);
        let left_len_bytes = announced
            .filter(|_| !exchange.is_grpc())
            .and_then(|value| value.to_str().ok()?.parse().ok());
        Self {
            recording,
            exchange: Some(exchange),
            left_len_bytes,
        }
    }

    /// For a body that says itself how long it is, and has no trailers.
    #[cfg(feature = "actix")]
    pub(super) fn of_len(
        exchange: Exchange,
        recording: Option<BodyRecording>,
        len_bytes: Option<u64>,
    ) -> Self {
        let mut watch = Self {
            recording,
            exchange: Some(exchange),
            left_len_bytes: len_bytes,
        };
        if len_bytes == Some(0) {
            watch.finish();
        }
        watch
    }

    /// Runs code of the body in the span's context. A panic is recorded and goes on.
    pub(super) fn poll<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let Some(exchange) = &self.exchange else {
            return code();
        };
        match run_in(&exchange.span().context(), code) {
            Ok(polled) => polled,
            Err(payload) => {
                self.panicked(&*payload);
                resume_unwind(payload)
            }
        }
    }

    /// Without a word in the head, who sends the body goes by what it says of itself.
    fn expect(&mut self, hint: &SizeHint) {
        let has_trailers = self.exchange.as_ref().is_some_and(Exchange::is_grpc);
        if self.left_len_bytes.is_none() && !has_trailers {
            self.left_len_bytes = hint.exact();
        }
    }

    fn frame<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref() {
            self.data(data);
        } else if let (Some(trailers), Some(exchange)) = (frame.trailers_ref(), &self.exchange) {
            exchange.trailers(trailers);
        }
    }

    /// A piece went by; it may have been the last one.
    pub(super) fn data(&mut self, data: &impl Buf) {
        if let Some(recording) = &mut self.recording {
            recording.push(data);
        }
        let len_bytes = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        if let Some(left) = &mut self.left_len_bytes {
            *left = left.saturating_sub(len_bytes);
            if *left == 0 {
                self.finish();
            }
        }
    }

    pub(super) fn finish(&mut self) {
        self.recording = None;
        if let Some(exchange) = self.exchange.take() {
            exchange.finish();
        }
    }

    pub(super) fn fail(&mut self, details: impl FnOnce() -> ExceptionDetails) {
        self.recording = None;
        if let Some(exchange) = self.exchange.take() {
            exchange.fail_with(details);
        }
    }

    fn panicked(&mut self, payload: &(dyn std::any::Any + Send)) {
        self.recording = None;
        if let Some(exchange) = self.exchange.take() {
            exchange.panicked(payload);
        }
    }
}
