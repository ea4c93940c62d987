use std::cell::Cell;

use proptest::prelude::*;
use query::{Budget, Condition, SearchQuery, TraceSummary, search};

use crate::naive::{self, Span, any_query};
use crate::scans::{Kept, any_kept, snapshot};

/// All pages, one after another, and whether one of them was truncated.
fn all_pages(
    kept: &Kept,
    query: &SearchQuery,
    budget: &Budget<'_>,
    mut before_page: impl FnMut(),
) -> (Vec<TraceSummary>, bool) {
    let snapshot = kept.snapshot();
    let mut query = query.clone();
    let mut traces = Vec::new();
    let mut truncated = false;
    loop {
        before_page();
        let page = search(&snapshot, &query, budget).unwrap();
        assert!(page.traces.len() <= query.limit);
        assert!(page.truncated || page.next.is_none() || page.traces.len() == query.limit);
        truncated |= page.truncated;
        traces.extend(page.traces);
        match page.next {
            None => return (traces, truncated),
            // What a client sends back is text.
            Some(next) => query.cursor = Some(next.to_string().parse().unwrap()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn pages_are_exactly_what_the_model_finds(kept in any_kept(), query in any_query()) {
        let expected = naive::search(&kept.spans(), &query);
        let (found, truncated) = all_pages(&kept, &query, &Budget::unlimited(), || ());
        prop_assert_eq!(found, expected);
        prop_assert!(!truncated);
    }

    #[test]
    fn a_search_without_time_finds_each_trace_once_all_the_same(
        kept in any_kept(),
        query in any_query(),
        steps in 0u32..8,
        max_candidates in 1usize..12,
    ) {
        let steps_left = Cell::new(0u32);
        let is_over = || {
            let left = steps_left.get();
            steps_left.set(left.saturating_sub(1));
            left == 0
        };
        let budget = Budget { max_candidates, ..Budget::until(&is_over) };
        let (mut found, truncated) = all_pages(&kept, &query, &budget, || steps_left.set(steps));
        let mut expected = naive::search(&kept.spans(), &query);
        if truncated {
            found.sort_by_key(|summary| summary.trace_id);
            expected.sort_by_key(|summary| summary.trace_id);
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_trace_that_started_long_before_its_match_has_its_own_place() {
    // Trace 1 matches last of all, but started first.
    let mut late = Span::new(1, 2, 1);
    (late.start, late.name) = (1000, 1);
    let mut spans = vec![Span::new(1, 1, 0), late];
    for trace in 2..6 {
        let mut span = Span::new(trace, 1, 0);
        (span.start, span.name) = (200 + u64::from(trace), 1);
        spans.push(span);
    }
    let mut query = SearchQuery {
        conditions: vec![Condition::Name("name-1".to_owned())],
        limit: 4,
        ..SearchQuery::default()
    };
    let page = search(&snapshot(&spans), &query, &Budget::unlimited()).unwrap();
    let traces: Vec<u8> = page
        .traces
        .iter()
        .map(|trace| trace.trace_id.0[0])
        .collect();
    assert_eq!(traces, [5, 4, 3, 2]);
    query.cursor = page.next;
    let page = search(&snapshot(&spans), &query, &Budget::unlimited()).unwrap();
    assert_eq!(page.traces[0].trace_id.0[0], 1);
    assert_eq!(page.next, None);
}

#[test]
fn a_trace_that_is_too_large_says_so() {
    let spans: Vec<Span> = (1..=5).map(|id| Span::new(1, id, 0)).collect();
    let budget = Budget {
        max_spans_per_trace: 3,
        ..Budget::unlimited()
    };
    let page = search(&snapshot(&spans), &SearchQuery::default(), &budget).unwrap();
    assert_eq!(page.traces[0].span_count, 3);
    assert!(page.traces[0].truncated);
}

#[test]
fn an_empty_snapshot_has_no_traces() {
    let page = search(
        &snapshot(&[]),
        &SearchQuery::default(),
        &Budget::unlimited(),
    )
    .unwrap();
    assert_eq!(
        (page.traces.len(), page.next, page.truncated),
        (0, None, false)
    );
}
