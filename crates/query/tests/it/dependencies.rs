use std::collections::BTreeMap;

use proptest::prelude::*;
use query::{Budget, dependencies, extent, operations, services, trace};

use crate::naive::{self, Span};
use crate::scans::{any_kept, snapshot};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn calls_are_the_links_between_services_of_all_traces(kept in any_kept()) {
        let spans = kept.spans();
        // Which of two spans with one id and one start is the earlier is said by their content, of which a count of calls
        // compares less than a trace does.
        prop_assume!(naive::traces(&spans).values().all(|trace| {
            trace.windows(2).all(|pair| (pair[0].start, pair[0].id) != (pair[1].start, pair[1].id))
        }));
        let snapshot = kept.snapshot();
        let mut expected: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for trace_id in naive::traces(&spans).into_keys() {
            let trace = trace(&snapshot, trace_id, &Budget::unlimited()).unwrap().unwrap();
            let columns = trace.batch.columns();
            let mut counted = Vec::new();
            for row in 0..columns.len() {
                let Some(parent) = trace.tree.parent(row) else { continue };
                let edge = (columns.service(parent).to_owned(), columns.service(row).to_owned());
                // Spans that differ in nothing but attributes, name or status are one call.
                let call = (
                    columns.span_id(row), columns.parent_span_id(row), columns.starts.value(row),
                    columns.ends.value(row), columns.service(row), columns.kinds.value(row),
                );
                if edge.0 != edge.1 && !counted.contains(&call) {
                    counted.push(call);
                    let is_error = |row| columns.status_code(row) == 2;
                    let failed = is_error(row) || columns.kinds.value(parent) == 3 && is_error(parent);
                    let (calls, errors) = expected.entry(edge).or_default();
                    *calls += 1;
                    *errors += u64::from(failed);
                }
            }
        }
        let answer = dependencies(&snapshot, 0..=u64::MAX, &Budget::unlimited()).unwrap();
        let found: BTreeMap<(String, String), (u64, u64)> = answer
            .edges
            .into_iter()
            .map(|edge| ((edge.parent, edge.child), (edge.calls, edge.errors)))
            .collect();
        prop_assert_eq!(found, expected);
        prop_assert!(!answer.truncated);
    }
}

#[test]
fn calls_outside_of_the_range_do_not_count() {
    let mut spans = vec![Span::new(1, 1, 0), Span::new(1, 2, 1), Span::new(1, 3, 1)];
    spans[1].service = 1;
    (spans[2].service, spans[2].start) = (2, 500);
    let answer = dependencies(&snapshot(&spans), 0..=499, &Budget::unlimited()).unwrap();
    let edges: Vec<_> = answer
        .edges
        .iter()
        .map(|edge| (edge.parent.as_str(), edge.child.as_str(), edge.calls))
        .collect();
    assert_eq!(edges, [("service-0", "service-1", 1)]);
}

#[test]
fn calls_that_take_too_long_say_so() {
    let snapshot = snapshot(&[Span::new(1, 1, 0)]);
    let answer = dependencies(&snapshot, 0..=u64::MAX, &Budget::until(&|| true)).unwrap();
    assert!(answer.truncated);
}

#[test]
fn names_are_sorted_and_come_once() {
    let mut spans: Vec<Span> = (1..=4).map(|id| Span::new(1, id, 0)).collect();
    (spans[0].service, spans[0].name) = (2, 1);
    spans[1].kind = 3;
    let snapshot = snapshot(&spans);
    assert_eq!(services(&snapshot).unwrap(), ["service-0", "service-2"]);
    let names = |service| -> Vec<(String, i32)> {
        let operations = operations(&snapshot, service).unwrap();
        operations
            .into_iter()
            .map(|operation| (operation.name, operation.kind))
            .collect()
    };
    let [zero_1, zero_3, one_1] =
        [("name-0", 1), ("name-0", 3), ("name-1", 1)].map(|(name, kind)| (name.to_owned(), kind));
    assert_eq!(names(None), [zero_1.clone(), zero_3.clone(), one_1.clone()]);
    assert_eq!(names(Some("service-0")), [zero_1, zero_3]);
    assert_eq!(names(Some("service-2")), [one_1]);
    assert_eq!(names(Some("service-9")), []);
    assert_eq!(extent(&snapshot).spans, 4);
    assert_eq!(extent(&snapshot).starts_unix_nano, Some((101, 104)));
}
