//! Spans on their way to an exporter.

use opentelemetry_sdk::trace::SpanData;

/// Spans that ended on one thread one after another.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(super) spans: Vec<SpanData>,
    /// As estimated when they came in.
    pub(super) len_bytes: usize,
    pub(super) encoded_len_bytes: usize,
}

impl Chunk {
    pub(super) fn with_capacity(spans: usize) -> Self {
        Self {
            spans: Vec::with_capacity(spans),
            len_bytes: 0,
            encoded_len_bytes: 0,
        }
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
        self.len += chunk.spans.len();
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

    /// Its spans.
    pub(crate) fn spans(&self) -> impl Iterator<Item = &SpanData> + Clone {
        self.chunks.iter().flat_map(|chunk| &chunk.spans)
    }

    /// Its spans, in one list.
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
            spans,
            len_bytes: 0,
            encoded_len_bytes: 0,
        });
        batch
    }
}
