//! Spans by their instrumentation scope.

use std::collections::HashMap;

use opentelemetry::InstrumentationScope;

/// The spans of one scope, in their order.
pub(super) struct Group<'a> {
    pub(super) scope: &'a InstrumentationScope,
    pub(super) runs: Vec<&'a [u8]>,
}

impl Group<'_> {
    /// How many bytes the spans take.
    pub(super) fn len(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum()
    }
}

/// Encoded spans by their scopes, in the order in which the scopes are met.
pub(super) fn by_scope<'a>(
    runs: impl Iterator<Item = (&'a InstrumentationScope, &'a [u8])>,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut indexes = HashMap::new();
    // Runs of one scope mostly follow each other, so that nothing is hashed.
    let mut current = 0;
    for (scope, run) in runs {
        match groups.get_mut(current) {
            Some(group) if is_same(group.scope, scope) => group.runs.push(run),
            _ => {
                current = *indexes.entry(scope).or_insert(groups.len());
                match groups.get_mut(current) {
                    Some(group) => group.runs.push(run),
                    None => groups.push(Group {
                        scope,
                        runs: vec![run],
                    }),
                }
            }
        }
    }
    groups
}

/// As `==`, which sorts the attributes of both, but quick for clones of one scope.
#[inline]
pub(super) fn is_same(left: &InstrumentationScope, right: &InstrumentationScope) -> bool {
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
    use super::*;
    use opentelemetry::KeyValue;

    fn names<'a>(runs: &'a [(&'static str, InstrumentationScope)]) -> Vec<Vec<&'a str>> {
        by_scope(runs.iter().map(|(name, scope)| (scope, name.as_bytes())))
            .iter()
            .map(|group| {
                let names = group.runs.iter().map(|run| str::from_utf8(run).unwrap());
                names.collect()
            })
            .collect()
    }

    #[test]
    fn spans_of_one_scope_stand_together_in_their_order() {
        let scope = |name: &str| InstrumentationScope::builder(name.to_owned()).build();
        let runs = [
            ("1", scope("a")),
            ("2", scope("b")),
            ("3", scope("a")),
            ("4", scope("a")),
            ("5", scope("c")),
            ("6", scope("b")),
        ];
        assert_eq!(
            names(&runs),
            [vec!["1", "3", "4"], vec!["2", "6"], vec!["5"]]
        );
        assert!(by_scope([].into_iter()).is_empty());
    }

    #[test]
    fn scopes_differ_in_each_of_their_parts() {
        let builder = || InstrumentationScope::builder("a");
        let pair = |a, b| [KeyValue::new("k", a), KeyValue::new("l", b)];
        let [first, second] = pair(1, 2);
        let runs = [
            ("1", builder().build()),
            ("2", builder().with_version("1").build()),
            ("3", builder().with_version("2").build()),
            ("4", builder().with_schema_url("s").build()),
            ("5", builder().with_attributes(pair(1, 2)).build()),
            ("6", builder().with_attributes(pair(1, 3)).build()),
            ("7", builder().with_attributes([second, first]).build()),
        ];
        let expected = [
            vec!["1"],
            vec!["2"],
            vec!["3"],
            vec!["4"],
            vec!["5", "7"],
            vec!["6"],
        ];
        assert_eq!(names(&runs), expected);
    }
}
