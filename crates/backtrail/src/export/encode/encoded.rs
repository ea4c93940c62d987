//! Spans that are encoded as OTLP, one after another.

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::otlp_span::put_span;
use super::scopes::is_same;

/// What a span that was too large may leave as room.
const MAX_SPARE_BYTES: usize = 1 << 20;

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
    /// Encodes a span at the end of the others.
    #[inline]
    pub(crate) fn encode(&mut self, span: &SpanData, limits: &EncodeLimits) {
        // What a panic left behind, if there ever was one, is no span.
        self.bytes.truncate(self.len());
        put_span(&mut self.bytes, span, limits);
        let end = self.bytes.len();
        let scope = &span.instrumentation_scope;
        match self.runs.last_mut() {
            Some(run) if is_same(&run.scope, scope) => run.end = end,
            _ => self.runs.push(Run {
                scope: scope.clone(),
                end,
            }),
        }
    }

    /// How many bytes the spans take.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// Takes back the last span: so many bytes were there before it.
    #[cold]
    pub(crate) fn truncate(&mut self, len_before: usize) {
        self.bytes.truncate(len_before);
        if self.bytes.capacity() - len_before > MAX_SPARE_BYTES {
            self.bytes.shrink_to_fit();
        }
        if let Some(last) = self.runs.last_mut() {
            last.end = len_before;
        }
        let mut ends = self.runs.iter().rev().map(|run| run.end);
        let (last, before) = (ends.next(), ends.next().unwrap_or_default());
        if last == Some(before) {
            self.runs.pop();
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

#[cfg(test)]
mod tests {
    use super::super::arbitrary::plain_span;
    use super::*;

    fn span(scope: &'static str) -> SpanData {
        SpanData {
            instrumentation_scope: InstrumentationScope::builder(scope).build(),
            ..plain_span()
        }
    }

    fn runs(encoded: &EncodedSpans) -> Vec<(String, usize)> {
        let runs = encoded.runs();
        runs.map(|(scope, bytes)| (scope.name().to_owned(), bytes.len()))
            .collect()
    }

    #[test]
    fn spans_of_one_scope_that_follow_each_other_are_a_run() {
        let mut encoded = EncodedSpans::default();
        for scope in ["a", "a", "b", "a"] {
            encoded.encode(&span(scope), &EncodeLimits::default());
        }
        let one = encoded.len() / 4;
        let expected = [("a", 2 * one), ("b", one), ("a", one)];
        assert_eq!(
            runs(&encoded),
            expected.map(|(scope, len)| (scope.to_owned(), len))
        );
        encoded.clear();
        assert!(runs(&encoded).is_empty());
    }

    #[test]
    fn a_span_that_is_taken_back_leaves_nothing() {
        for (first, second) in [("a", "a"), ("a", "b")] {
            let mut encoded = EncodedSpans::default();
            encoded.encode(&span(first), &EncodeLimits::default());
            let before = runs(&encoded);
            let len_before = encoded.len();
            encoded.encode(&span(second), &EncodeLimits::default());
            encoded.truncate(len_before);
            assert_eq!((runs(&encoded), encoded.len()), (before, len_before));
            encoded.truncate(0);
            assert!(runs(&encoded).is_empty());
        }
    }
}
