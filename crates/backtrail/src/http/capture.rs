//! Bodies that are recorded, for who asks for it.

use std::fmt;
use std::io::IoSlice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Buf;
use opentelemetry::KeyValue;

use crate::Span;

/// Slices of one frame that are looked at.
const MAX_SLICES: usize = 16;

type Redact = Arc<dyn Fn(&[u8]) -> Option<String> + Send + Sync>;

/// How much of a body is kept, and what is told of it.
#[derive(Clone)]
pub(super) struct BodyCapture {
    max_len_bytes: usize,
    redact: Redact,
}

impl BodyCapture {
    pub(super) fn new(
        max_len_bytes: usize,
        redact: impl Fn(&[u8]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            max_len_bytes,
            redact: Arc::new(redact),
        }
    }

    pub(super) fn start(&self, span: &Span, direction: Direction) -> Option<BodyRecording> {
        span.is_recording().then(|| BodyRecording {
            capture: self.clone(),
            direction,
            span: span.clone(),
            bytes: Vec::new(),
            is_cut: false,
        })
    }
}

impl fmt::Debug for BodyCapture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCapture")
            .field("max_len_bytes", &self.max_len_bytes)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    Request,
    Response,
}

/// The beginning of a body that goes by. When it is dropped, its span is told.
pub(super) struct BodyRecording {
    capture: BodyCapture,
    direction: Direction,
    span: Span,
    bytes: Vec<u8>,
    is_cut: bool,
}

impl BodyRecording {
    pub(super) fn push(&mut self, data: &impl Buf) {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = data.chunks_vectored(&mut slices);
        let mut seen = 0;
        for slice in &slices[..count] {
            let room = self.capture.max_len_bytes - self.bytes.len();
            let kept = slice.len().min(room);
            self.bytes.extend_from_slice(&slice[..kept]);
            seen += kept;
        }
        self.is_cut |= seen < data.remaining();
    }
}

impl Drop for BodyRecording {
    fn drop(&mut self) {
        if self.bytes.is_empty() || !self.span.is_recording() {
            return;
        }
        let (body, truncated) = match self.direction {
            Direction::Request => ("http.request.body", "http.request.body.truncated"),
            Direction::Response => ("http.response.body", "http.response.body.truncated"),
        };
        // A body that is cut in the middle of a character is an invitation to panic. Here that would end the process, if it is a panic already
        // that drops this.
        let redact = AssertUnwindSafe(|| (self.capture.redact)(&self.bytes));
        if let Ok(Some(text)) = catch_unwind(redact) {
            self.span.put(KeyValue::new(body, text));
            if self.is_cut {
                self.span.put(KeyValue::new(truncated, true));
            }
        }
    }
}

impl fmt::Debug for BodyRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the bytes: they are not redacted.
        f.debug_struct("BodyRecording")
            .field("len_bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
