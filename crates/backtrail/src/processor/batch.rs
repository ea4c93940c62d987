//! Spans on their way to an exporter.

use crate::export::encode::EncodedSpans;

/// What one export is given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(super) chunks: Vec<EncodedSpans>,
    pub(super) len: usize,
    pub(super) len_bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, chunk: EncodedSpans) {
        self.len += chunk.len();
        self.len_bytes += chunk.len_bytes();
        self.chunks.push(chunk);
    }

    /// How many spans it has.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its spans, by the chunks in which they were encoded.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &EncodedSpans> {
        self.chunks.iter()
    }
}
