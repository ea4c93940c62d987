use std::collections::HashMap;

use backtrail_wire::otlp::{AnyValue, put_key_value};
use backtrail_wire::protobuf::put_message;
use model::batch::LoneEvent;
use model::{Attributes, SpanBatchBuilder, TraceId};
use proptest::prelude::*;
use query::{Budget, QueryError, SpanFlags, trace};
use store::{MemoryScan, Snapshot};

use crate::naive::{self, Span, batch, span_id};
use crate::scans::{any_kept, snapshot};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_trace_has_each_of_its_spans_once_in_depth_first_order(kept in any_kept()) {
        let spans = kept.spans();
        let snapshot = kept.snapshot();
        for (trace_id, expected) in naive::traces(&spans) {
            let trace = trace(&snapshot, trace_id, &Budget::unlimited()).unwrap().unwrap();
            let columns = trace.batch.columns();
            let rows = columns.len();

            // The same spans as the model has, once each.
            let mut forms: HashMap<Vec<u8>, u32> = HashMap::new();
            for row in 0..rows {
                *forms.entry(columns.canonical(row).unwrap()).or_default() += 1;
            }
            prop_assert!(forms.values().all(|count| *count == 1));
            let expected_batch = batch(expected.iter().copied());
            let expected_columns = expected_batch.columns();
            for row in 0..expected_columns.len() {
                prop_assert!(forms.contains_key(&expected_columns.canonical(row).unwrap()));
            }
            prop_assert_eq!(rows, expected.len());
            let stored = spans.iter().filter(|span| span.trace_id() == trace_id).count();
            prop_assert_eq!(trace.repeats as usize, stored - rows);

            // Depth first: the rows after a span up to the next that is no descendant are its subtree.
            let mut open: Vec<usize> = Vec::new();
            for row in 0..rows {
                let parent = trace.tree.parent(row);
                match parent {
                    None => open.clear(),
                    Some(parent) => {
                        while open.last().is_some_and(|last| *last != parent) {
                            open.pop();
                        }
                        prop_assert_eq!(open.last(), Some(&parent));
                    }
                }
                open.push(row);

                // Siblings by start, then id.
                let previous = (0..row).rev().find(|other| trace.tree.parent(*other) == parent);
                if let Some(previous) = previous {
                    let key = |row: usize| (columns.starts.value(row), columns.span_id(row));
                    prop_assert!(key(previous) <= key(row));
                }

                // A link is what the span says, or is flagged.
                let flags = trace.tree.flags(row);
                let named = columns.parent_span_id(row);
                match parent {
                    Some(parent) => {
                        let is_named = named == Some(columns.span_id(parent));
                        let is_half = columns.span_id(parent) == columns.span_id(row)
                            && (columns.kinds.value(parent), columns.kinds.value(row)) == (3, 2);
                        prop_assert!(is_named || is_half);
                        prop_assert_eq!(
                            flags.has(SpanFlags::BEFORE_PARENT),
                            columns.starts.value(row) < columns.starts.value(parent)
                        );
                    }
                    None if flags.has(SpanFlags::CUT) => {}
                    None => {
                        let is_missing = named.is_some_and(|id| trace.rows_of(id).next().is_none());
                        prop_assert_eq!(flags.has(SpanFlags::MISSING_PARENT), is_missing);
                        prop_assert_eq!(named.is_some(), is_missing);
                    }
                }
                let sharers = trace.rows_of(columns.span_id(row)).count();
                prop_assert_eq!(flags.has(SpanFlags::SHARED_ID), sharers > 1);
            }
        }
    }

    #[test]
    fn the_answer_does_not_depend_on_where_spans_are(kept in any_kept()) {
        let spans = kept.spans();
        let mut sorted = spans.clone();
        sorted.sort_by_key(|span| (span.name, span.id, span.start));
        let (spread, together) = (kept.snapshot(), snapshot(&sorted));
        for trace_id in naive::traces(&spans).into_keys() {
            let [one, other] = [&spread, &together].map(|snapshot| {
                trace(snapshot, trace_id, &Budget::unlimited()).unwrap().unwrap()
            });
            prop_assert_eq!(one.batch.to_otlp().unwrap(), other.batch.to_otlp().unwrap());
            prop_assert_eq!(one.tree, other.tree);
            prop_assert_eq!(one.repeats, other.repeats);
        }
    }
}

#[test]
fn an_unknown_trace_is_none() {
    let snapshot = snapshot(&[Span::new(1, 1, 0)]);
    let answer = trace(&snapshot, TraceId([9; 16]), &Budget::unlimited()).unwrap();
    assert!(answer.is_none());
}

#[test]
fn a_parent_id_of_zeros_is_no_parent() {
    let mut request = Vec::new();
    put_message(&mut request, 1, |out| {
        put_message(out, 2, |out| {
            put_message(out, 2, |out| {
                let fields = backtrail_wire::otlp::SpanFields {
                    trace_id: &[1; 16],
                    span_id: &[1; 8],
                    parent_span_id: &[0; 8],
                    ..Default::default()
                };
                backtrail_wire::otlp::put_span(out, &fields, |_| Ok(())).unwrap();
            });
        });
    });
    let batch = model::SpanBatch::from_otlp(&request).unwrap();
    let snapshot = Snapshot::new(vec![MemoryScan::new(batch).into_scan()]);
    let trace = trace(&snapshot, TraceId([1; 16]), &Budget::unlimited())
        .unwrap()
        .unwrap();
    assert_eq!(trace.tree.flags(0).bits(), 0);
    assert!(!trace.tree.is_incomplete());
}

#[test]
fn a_trace_that_is_too_large_is_cut_to_its_earliest_spans() {
    let spans: Vec<Span> = (1..=6).rev().map(|id| Span::new(1, id, 0)).collect();
    let budget = Budget {
        max_spans_per_trace: 4,
        ..Budget::unlimited()
    };
    let trace = trace(&snapshot(&spans), TraceId([1; 16]), &budget)
        .unwrap()
        .unwrap();
    assert!(trace.truncated);
    let columns = trace.batch.columns();
    let ids: Vec<_> = (0..columns.len()).map(|row| columns.span_id(row)).collect();
    assert_eq!(ids, [1, 2, 3, 4].map(span_id));
}

#[test]
fn a_trace_that_takes_too_long_is_an_error() {
    let answer = trace(
        &snapshot(&[Span::new(1, 1, 0)]),
        TraceId([1; 16]),
        &Budget::until(&|| true),
    );
    assert!(matches!(answer, Err(QueryError::OverBudget)));
}

#[test]
fn spans_are_grouped_by_resource_for_export() {
    let mut spans = vec![
        Span::new(1, 1, 0),
        Span::new(1, 2, 1),
        Span::new(1, 3, 2),
        Span::new(1, 4, 1),
    ];
    spans[1].service = 1;
    spans[3].service = 1;
    let trace = trace(&snapshot(&spans), TraceId([1; 16]), &Budget::unlimited())
        .unwrap()
        .unwrap();
    let grouped = trace.by_resource();
    let columns = grouped.columns();
    let ids: Vec<_> = (0..columns.len()).map(|row| columns.span_id(row)).collect();
    assert_eq!(ids, [1, 3, 2, 4].map(span_id));
}

fn lone_event<'a>(id: u8, attributes: &'a [u8], resource: &'a [u8]) -> LoneEvent<'a> {
    LoneEvent {
        trace_id: TraceId([1; 16]),
        span_id: span_id(id),
        time_unix_nano: 7,
        // Not "exception": a log record has a name of its own.
        name: "order.failed",
        attributes: Attributes::new(attributes),
        dropped_attributes_count: 0,
        resource,
        scope: &[],
    }
}

#[test]
fn events_that_came_alone_stand_with_their_span() {
    let mut attributes = Vec::new();
    put_key_value(
        &mut attributes,
        1,
        "exception.type",
        AnyValue::String("TypeError"),
    );
    let mut events = SpanBatchBuilder::new();
    events.push_lone_event(&lone_event(2, &attributes, &[]));
    // A repeat of it, and one whose span is not here.
    events.push_lone_event(&lone_event(2, &attributes, &[]));
    events.push_lone_event(&lone_event(9, &attributes, &[]));
    let snapshot = Snapshot::new(vec![
        MemoryScan::new(events.finish()).into_scan(),
        MemoryScan::new(batch(&[Span::new(1, 1, 0), Span::new(1, 2, 1)])).into_scan(),
    ]);
    let trace = trace(&snapshot, TraceId([1; 16]), &Budget::unlimited())
        .unwrap()
        .unwrap();
    let columns = trace.batch.columns();
    assert_eq!(columns.event_rows(0).len(), 0);
    assert_eq!(columns.event_rows(1).len(), 1);
    let event = columns.event_rows(1).start;
    assert_eq!(
        columns.events.attributes(event).get("exception.type"),
        Some(AnyValue::String("TypeError"))
    );
    assert!(trace.tree.flags(1).has(SpanFlags::EXCEPTION));
    assert!(!trace.tree.flags(0).has(SpanFlags::EXCEPTION));
    assert_eq!(columns.events.lone_rows().len(), 1);
}
