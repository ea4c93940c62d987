//! What a request is made of, and made of again when it is too large.

use bytes::Bytes;
use opentelemetry_sdk::trace::SpanData;

use super::encode::halves;
use crate::processor::Batch;

/// Spans of one request.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) spans: Spans,
    pub(super) len: usize,
}

#[derive(Debug)]
pub(super) enum Spans {
    /// An OTLP request, of which other formats are made.
    Otlp(Bytes),
    /// What is encoded in no format that can be divided.
    Whole(Batch),
}

impl Source {
    /// Its halves; nothing of a single span.
    pub(super) fn halves(self) -> Option<[Self; 2]> {
        let first_len = self.len / 2;
        if first_len == 0 {
            return None;
        }
        let [first, second] = match self.spans {
            Spans::Otlp(request) => {
                // It was encoded here, so it can be read.
                let halves = halves(&request, first_len).ok()?;
                halves.map(|half| Spans::Otlp(half.into()))
            }
            Spans::Whole(batch) => {
                let mut first: Vec<SpanData> = batch.into_spans();
                let second = first.split_off(first_len);
                [first, second].map(|spans| Spans::Whole(spans.into()))
            }
        };
        let half = |spans, len| Self { spans, len };
        Some([half(first, first_len), half(second, self.len - first_len)])
    }
}
