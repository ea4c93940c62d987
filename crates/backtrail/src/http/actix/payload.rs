//! The body of a request, recorded.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use crate::http::capture::BodyRecording;

/// The payload, piece by piece as it came; its beginning is recorded in the span, if the span lives so long.
pub(super) struct RecordedPayload {
    payload: Payload,
    recording: Option<BodyRecording>,
}

impl RecordedPayload {
    pub(super) fn new(payload: Payload, recording: BodyRecording) -> Self {
        Self {
            payload,
            recording: Some(recording),
        }
    }
}

impl Stream for RecordedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        match (&polled, &mut self.recording) {
            (Poll::Ready(Some(Ok(piece))), Some(recording)) => recording.push(piece),
            (Poll::Ready(_), recording) => *recording = None,
            (Poll::Pending, _) => {}
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.payload.size_hint()
    }
}
