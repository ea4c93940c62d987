//! Bodies that are recorded, for who asks for it.

use std::fmt;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::Buf;
use opentelemetry::KeyValue;

use super::exchange::Exchange;
use super::hook::Hook;
use crate::Span;

/// Slices of one frame that are looked at.
const MAX_SLICES: usize = 16;

type Redact = dyn Fn(&[u8]) -> Option<String> + Send + Sync;

/// How much of a body is kept, and what is told of it.
#[derive(Clone, Debug)]
pub(super) struct BodyCapture {
    max_len_bytes: usize,
    redact: Hook<Redact>,
}

impl BodyCapture {
    /// `name` is what the service calls the redaction.
    pub(super) fn new(name: &'static str, max_len_bytes: usize, redact: Arc<Redact>) -> Self {
        Self {
            max_len_bytes,
            redact: Hook::new(name, redact),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Direction {
    const fn body_key(self) -> &'static str {
        match self {
            Self::Request => "http.request.body",
            Self::Response => "http.response.body",
        }
    }

    const fn truncated_key(self) -> &'static str {
        match self {
            Self::Request => "http.request.body.truncated",
            Self::Response => "http.response.body.truncated",
        }
    }

    /// The attributes of a size: semantic conventions 1.42, HTTP spans, opt-in; and the names of before.
    pub(super) fn sizes(
        self,
        len_bytes: i64,
        with_old_names: bool,
    ) -> impl Iterator<Item = KeyValue> {
        let (key, old_key) = match self {
            Self::Request => ("http.request.body.size", "http.request_content_length"),
            Self::Response => ("http.response.body.size", "http.response_content_length"),
        };
        let old_key = with_old_names.then_some(old_key);
        let keys = std::iter::once(key).chain(old_key);
        keys.map(move |key| KeyValue::new(key, len_bytes))
    }
}

/// A body that goes by: its beginning, its size, or both. When it is dropped, its span is told.
pub struct BodyRecording {
    direction: Direction,
    span: Span,
    /// Nothing if only the size is wanted.
    capture: Option<BodyCapture>,
    bytes: Vec<u8>,
    is_cut: bool,
    tells_size: bool,
    with_old_names: bool,
    seen_len_bytes: u64,
}

impl BodyRecording {
    /// Nothing if nothing would be told.
    pub(super) fn start(
        exchange: &Exchange,
        direction: Direction,
        capture: Option<&BodyCapture>,
        tells_size: bool,
    ) -> Option<Self> {
        let span = exchange.span();
        let is_wanted = (capture.is_some() || tells_size) && span.is_recording();
        is_wanted.then(|| Self {
            direction,
            span: span.clone(),
            capture: capture.cloned(),
            bytes: Vec::new(),
            is_cut: false,
            tells_size,
            with_old_names: exchange.has_old_names(),
            seen_len_bytes: 0,
        })
    }

    pub(super) fn push(&mut self, data: &impl Buf) {
        let len_bytes = u64::try_from(data.remaining()).unwrap_or(u64::MAX);
        self.seen_len_bytes = self.seen_len_bytes.saturating_add(len_bytes);
        let Some(capture) = &self.capture else {
            return;
        };
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = data.chunks_vectored(&mut slices);
        let mut seen = 0;
        for slice in &slices[..count] {
            let room = capture.max_len_bytes - self.bytes.len();
            let kept = slice.len().min(room);
            self.bytes.extend_from_slice(&slice[..kept]);
            seen += kept;
        }
        self.is_cut |= seen < data.remaining();
    }
}

impl Drop for BodyRecording {
    fn drop(&mut self) {
        if !self.span.is_recording() {
            return;
        }
        if self.tells_size {
            let size = i64::try_from(self.seen_len_bytes).unwrap_or(i64::MAX);
            for attribute in self.direction.sizes(size, self.with_old_names) {
                self.span.put(attribute);
            }
        }
        let Some(capture) = self.capture.take().filter(|_| !self.bytes.is_empty()) else {
            return;
        };
        // A body that is cut in the middle of a character is an invitation to panic.
        let text = capture.redact.call(|redact| redact(&self.bytes));
        if let Some(Some(text)) = text {
            self.span
                .put(KeyValue::new(self.direction.body_key(), text));
            if self.is_cut {
                self.span
                    .put(KeyValue::new(self.direction.truncated_key(), true));
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
