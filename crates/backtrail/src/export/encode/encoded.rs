//! Spans that are encoded as OTLP, one after another.

use super::scopes::is_same;
use opentelemetry::InstrumentationScope;

/// Each as a field of a `ScopeSpans`, and which scope it is of.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncodedSpans {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    len: usize,
}

/// Spans of one scope that follow each other.
#[derive(Debug, Clone)]
struct Run {
    scope: InstrumentationScope,
    /// Where it ends in the bytes.
    end: usize,
}

impl EncodedSpans {
    /// Appends a span that `write` writes, in exactly so many bytes.
    #[inline]
    pub(crate) fn push(
        &mut self,
        scope: &InstrumentationScope,
        len_bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let start = self.len_bytes();
        // What a panic left behind, if there ever was one, is no span.
        self.bytes.truncate(start);
        self.bytes.reserve(len_bytes);
        write(&mut self.bytes);
        let end = self.bytes.len();
        debug_assert_eq!(end - start, len_bytes, "the length that was told");
        match self.runs.last_mut() {
            Some(run) if is_same(&run.scope, scope) => run.end = end,
            _ => self.runs.push(Run {
                scope: scope.clone(),
                end,
            }),
        }
        self.len += 1;
    }

    /// How many spans there are.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many bytes they take.
    #[inline]
    pub(crate) fn len_bytes(&self) -> usize {
        self.runs.last().map_or(0, |run| run.end)
    }

    /// Empties it, for spans to come. Its memory stays, unless it has become too much for that.
    pub(crate) fn cleared(mut self, max_kept_bytes: usize) -> Option<Self> {
        self.bytes.clear();
        self.runs.clear();
        self.len = 0;
        (self.bytes.capacity() <= max_kept_bytes).then_some(self)
    }

    /// The spans by runs of one scope.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&InstrumentationScope, &[u8])> {
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
    use super::*;

    fn spans(scopes: &[&'static str]) -> EncodedSpans {
        let mut encoded = EncodedSpans::default();
        for scope in scopes {
            let scope = InstrumentationScope::builder(*scope).build();
            encoded.push(&scope, 3, |out| out.extend_from_slice(b"abc"));
        }
        encoded
    }

    fn runs(encoded: &EncodedSpans) -> Vec<(&str, usize)> {
        let runs = encoded.runs();
        runs.map(|(scope, bytes)| (scope.name(), bytes.len()))
            .collect()
    }

    #[test]
    fn spans_of_one_scope_that_follow_each_other_are_a_run() {
        let encoded = spans(&["a", "a", "b", "a"]);
        assert_eq!(runs(&encoded), [("a", 6), ("b", 3), ("a", 3)]);
        assert_eq!((encoded.len(), encoded.len_bytes()), (4, 12));
        let empty = encoded.cleared(1_000).unwrap();
        assert!(runs(&empty).is_empty());
        assert_eq!((empty.len(), empty.len_bytes()), (0, 0));
    }

    #[test]
    fn what_was_left_by_a_panic_is_no_span() {
        let mut encoded = spans(&["a"]);
        encoded.bytes.extend_from_slice(b"half");
        let scope = InstrumentationScope::builder("a").build();
        encoded.push(&scope, 1, |out| out.push(b'd'));
        let bytes: Vec<_> = encoded.runs().map(|(_, bytes)| bytes).collect();
        assert_eq!(bytes, [b"abcd"]);
    }

    #[test]
    fn much_memory_is_not_kept() {
        assert!(spans(&["a"]).cleared(0).is_none());
    }
}
