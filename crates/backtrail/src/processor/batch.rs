//! Spans on their way to an exporter.

use opentelemetry_sdk::trace::SpanData;

use crate::export::encode::EncodedSpans;

/// Spans that ended on one thread one after another: all as they are, or all encoded.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(super) spans: Vec<SpanData>,
    pub(super) encoded: EncodedSpans,
    pub(super) len: usize,
    /// As estimated when they came in, or as encoded.
    pub(super) len_bytes: usize,
    pub(super) encoded_len_bytes: usize,
}

impl Chunk {
    /// Empties it, for spans to come. Its memory stays, unless it has become too much for that.
    pub(super) fn cleared(mut self, max_kept_bytes: usize) -> Option<Self> {
        self.spans.clear();
        self.encoded.clear();
        let is_kept = self.encoded.capacity() <= max_kept_bytes;
        is_kept.then_some(Self {
            spans: self.spans,
            encoded: self.encoded,
            ..Self::default()
        })
    }
}

/// What one export is given.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(super) chunks: Vec<Chunk>,
    pub(super) len: usize,
    pub(super) len_bytes: usize,
    pub(super) encoded_len_bytes: usize,
}

impl Batch {
    pub(super) fn push(&mut self, chunk: Chunk) {
        self.len += chunk.len;
        self.len_bytes += chunk.len_bytes;
        self.encoded_len_bytes += chunk.encoded_len_bytes;
        self.chunks.push(chunk);
    }

    /// How many spans it has.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether its spans are encoded, as [`Export::encoding`](crate::export::Export::encoding) asks for.
    pub(crate) fn is_encoded(&self) -> bool {
        self.chunks.iter().all(|chunk| chunk.spans.is_empty())
    }

    /// Its spans, if they are not encoded.
    pub(crate) fn spans(&self) -> impl Iterator<Item = &SpanData> + Clone {
        self.chunks.iter().flat_map(|chunk| &chunk.spans)
    }

    /// Its spans, if they are encoded.
    pub(crate) fn encoded(&self) -> impl Iterator<Item = &EncodedSpans> {
        self.chunks.iter().map(|chunk| &chunk.encoded)
    }

    /// Its spans, in one list, if they are not encoded.
    pub(crate) fn into_spans(self) -> Vec<SpanData> {
        let mut spans = Vec::with_capacity(self.len);
        for mut chunk in self.chunks {
            spans.append(&mut chunk.spans);
        }
        spans
    }
}

impl From<Vec<SpanData>> for Batch {
    fn from(spans: Vec<SpanData>) -> Self {
        let mut batch = Self::default();
        batch.push(Chunk {
            len: spans.len(),
            spans,
            ..Chunk::default()
        });
        batch
    }
}
