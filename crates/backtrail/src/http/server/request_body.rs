//! The bodies of requests: as they are, or recorded.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::Span;
use crate::http::capture::{BodyCapture, BodyRecording, Direction};

/// What becomes of a request's body on its way to the service: [`AsIs`] or [`Captured`].
pub trait RequestBody<B>: sealed::Sealed {
    /// What the service gets.
    type Body;

    #[doc(hidden)]
    fn wrap(&self, body: B, span: Option<&Span>) -> Self::Body;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsIs {}
    impl Sealed for super::Captured {}
}

/// The service gets the body that came.
#[derive(Clone, Copy, Debug)]
pub struct AsIs;

/// The service gets a body that is recorded as it reads it.
#[derive(Clone, Debug)]
pub struct Captured(pub(super) BodyCapture);

impl<B> RequestBody<B> for AsIs {
    type Body = B;

    fn wrap(&self, body: B, _span: Option<&Span>) -> B {
        body
    }
}

impl<B> RequestBody<B> for Captured {
    type Body = CapturedBody<B>;

    fn wrap(&self, body: B, span: Option<&Span>) -> CapturedBody<B> {
        let recording = span.and_then(|span| self.0.start(span, Direction::Request));
        CapturedBody { body, recording }
    }
}

pin_project! {
    /// The body of a request, frame by frame as it came; its beginning is recorded in the span, if the span lives so long.
    #[derive(Debug)]
    pub struct CapturedBody<B> {
        #[pin]
        body: B,
        recording: Option<BodyRecording>,
    }
}

impl<B: Body> Body for CapturedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.body.poll_frame(cx);
        match (&polled, &mut *this.recording) {
            (Poll::Ready(Some(Ok(frame))), Some(recording)) => {
                if let Some(data) = frame.data_ref() {
                    recording.push(data);
                }
            }
            (Poll::Ready(None), recording) => *recording = None,
            _ => {}
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
