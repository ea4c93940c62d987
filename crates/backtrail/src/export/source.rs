//! What a request is made of, and made of again when it is too large.

use bytes::Bytes;

use super::encode::halves;

/// Spans of one request, as OTLP, of which all formats are made.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) request: Bytes,
    pub(super) len: usize,
}

impl Source {
    /// Its halves; nothing of a single span.
    pub(super) fn halves(self) -> Option<[Self; 2]> {
        let first_len = self.len / 2;
        if first_len == 0 {
            return None;
        }
        // It was encoded here, so it can be read.
        let [first, second] = halves(&self.request, first_len).ok()?;
        let half = |request: Vec<u8>, len| Self {
            request: request.into(),
            len,
        };
        Some([half(first, first_len), half(second, self.len - first_len)])
    }
}
