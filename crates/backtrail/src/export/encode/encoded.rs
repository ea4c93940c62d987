//! Spans that are encoded as OTLP, one after another.

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::otlp_span::put_span;
use super::scopes::is_same;

/// Each as a field of a `ScopeSpans`, and which scope it is of.
#[derive(Debug, Default)]
pub(crate) struct EncodedSpans {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// Spans of one scope that follow each other.
#[derive(Debug)]
struct Run {
    scope: InstrumentationScope,
    /// Where it ends in the bytes.
    end: usize,
}

impl EncodedSpans {
    /// Appends a span as [`encode_span`] wrote it.
    #[inline]
    pub(crate) fn push(&mut self, scope: &InstrumentationScope, span: &[u8]) {
        self.put(scope, |out| out.extend_from_slice(span));
    }

    /// Encodes a span at the end of the others.
    pub(super) fn encode(&mut self, span: &SpanData, limits: &EncodeLimits) {
        self.put(&span.instrumentation_scope, |out| {
            put_span(out, span, limits);
        });
    }

    #[inline]
    fn put(&mut self, scope: &InstrumentationScope, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = self.bytes.len();
        match self.runs.last_mut() {
            Some(run) if is_same(&run.scope, scope) => run.end = end,
            _ => self.runs.push(Run {
                scope: scope.clone(),
                end,
            }),
        }
    }

    /// Room for so many bytes more.
    pub(super) fn reserve(&mut self, len: usize) {
        self.bytes.reserve(len);
    }

    /// What is kept for spans to come.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
    }

    /// The spans by runs of one scope.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&InstrumentationScope, &[u8])> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let bytes = &self.bytes[start..run.end];
            start = run.end;
            (&run.scope, bytes)
        })
    }
}

/// Appends a span for [`EncodedSpans::push`].
#[inline]
pub(crate) fn encode_span(out: &mut Vec<u8>, span: &SpanData, limits: &EncodeLimits) {
    put_span(out, span, limits);
}
