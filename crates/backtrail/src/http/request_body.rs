//! Bodies of requests: as they are, or recorded.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::capture::BodyRecording;

/// What becomes of a request's body on its way to the inner service: [`AsIs`] or [`Captured`].
pub trait RequestBody<B>: sealed::Sealed {
    /// What the inner service gets.
    type Body;

    #[doc(hidden)]
    fn wrap(body: B, record: impl FnOnce() -> Option<BodyRecording>) -> Self::Body;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsIs {}
    impl Sealed for super::Captured {}
}

/// The inner service gets the body that came.
#[derive(Clone, Copy, Debug)]
pub struct AsIs;

/// The inner service gets a body that is recorded as it reads it.
#[derive(Clone, Copy, Debug)]
pub struct Captured;

impl<B> RequestBody<B> for AsIs {
    type Body = B;

    fn wrap(body: B, _record: impl FnOnce() -> Option<BodyRecording>) -> B {
        body
    }
}

impl<B> RequestBody<B> for Captured {
    type Body = CapturedBody<B>;

    fn wrap(body: B, record: impl FnOnce() -> Option<BodyRecording>) -> CapturedBody<B> {
        CapturedBody::new(body, record())
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

impl<B> CapturedBody<B> {
    pub(super) fn new(body: B, recording: Option<BodyRecording>) -> Self {
        Self { body, recording }
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
        let mut body = this.body;
        let polled = body.as_mut().poll_frame(cx);
        let Some(recording) = &mut *this.recording else {
            return polled;
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    recording.push(data);
                }
                // Whoever reads the body need not ask again, and the span may end before the body is dropped.
                if body.is_end_stream() {
                    *this.recording = None;
                }
            }
            Poll::Ready(_) => *this.recording = None,
            Poll::Pending => {}
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
