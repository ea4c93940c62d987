//! Spans by their instrumentation scope.

use std::collections::HashMap;

use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::trace::SpanData;

/// The spans of one scope, in their order.
pub(super) struct Group<'a> {
    pub(super) scope: &'a InstrumentationScope,
    pub(super) spans: Vec<&'a SpanData>,
}

/// The spans by their scopes, in the order in which the scopes are met.
pub(super) fn by_scope<'a>(
    batch: impl Iterator<Item = &'a SpanData>,
    batch_len: usize,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut indexes = HashMap::new();
    // Spans of one scope mostly follow each other, so that nothing is hashed.
    let mut current = 0;
    for span in batch {
        let scope = &span.instrumentation_scope;
        match groups.get_mut(current) {
            Some(group) if is_same(group.scope, scope) => group.spans.push(span),
            _ => {
                current = *indexes.entry(scope).or_insert(groups.len());
                match groups.get_mut(current) {
                    Some(group) => group.spans.push(span),
                    None => {
                        // Most batches have one scope only.
                        let capacity = if groups.is_empty() { batch_len } else { 1 };
                        let mut spans = Vec::with_capacity(capacity);
                        spans.push(span);
                        groups.push(Group { scope, spans });
                    }
                }
            }
        }
    }
    groups
}

/// As `==`, which sorts the attributes of both, but quick for clones of one scope.
fn is_same(left: &InstrumentationScope, right: &InstrumentationScope) -> bool {
    let same_texts = same_text(left.name(), right.name())
        && match (left.version(), right.version()) {
            (Some(left), Some(right)) => same_text(left, right),
            (left, right) => left == right,
        }
        && left.schema_url() == right.schema_url();
    same_texts && (left.attributes().eq(right.attributes()) || left == right)
}

/// As `==`, without a look at the text where both are the same piece of memory.
fn same_text(left: &str, right: &str) -> bool {
    std::ptr::eq(left, right) || left == right
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary::plain_span;
    use super::*;
    use opentelemetry::KeyValue;

    fn span(name: &'static str, scope: InstrumentationScope) -> SpanData {
        SpanData {
            name: name.into(),
            instrumentation_scope: scope,
            ..plain_span()
        }
    }

    fn names(batch: &[SpanData]) -> Vec<Vec<&str>> {
        by_scope(batch.iter(), batch.len())
            .iter()
            .map(|group| group.spans.iter().map(|span| &*span.name).collect())
            .collect()
    }

    #[test]
    fn spans_of_one_scope_stand_together_in_their_order() {
        let scope = |name: &str| InstrumentationScope::builder(name.to_owned()).build();
        let batch = [
            span("1", scope("a")),
            span("2", scope("b")),
            span("3", scope("a")),
            span("4", scope("a")),
            span("5", scope("c")),
            span("6", scope("b")),
        ];
        assert_eq!(
            names(&batch),
            [vec!["1", "3", "4"], vec!["2", "6"], vec!["5"]]
        );
        assert!(by_scope([].iter(), 0).is_empty());
    }

    #[test]
    fn scopes_differ_in_each_of_their_parts() {
        let builder = || InstrumentationScope::builder("a");
        let pair = |a, b| [KeyValue::new("k", a), KeyValue::new("l", b)];
        let [first, second] = pair(1, 2);
        let batch = [
            span("1", builder().build()),
            span("2", builder().with_version("1").build()),
            span("3", builder().with_version("2").build()),
            span("4", builder().with_schema_url("s").build()),
            span("5", builder().with_attributes(pair(1, 2)).build()),
            span("6", builder().with_attributes(pair(1, 3)).build()),
            span("7", builder().with_attributes([second, first]).build()),
        ];
        let expected = [
            vec!["1"],
            vec!["2"],
            vec!["3"],
            vec!["4"],
            vec!["5", "7"],
            vec!["6"],
        ];
        assert_eq!(names(&batch), expected);
    }
}
