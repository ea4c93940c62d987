//! A search finds a span by an exception that came as a log record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use backtrail_wire::otlp::{AnyValue, Attributes, put_key_value};
use block::{ArrivedRange, Block, BlockId, Window};
use host::sim::SimHost;
use model::batch::LoneEvent;
use model::{AttributeScope, Scan, SpanBatch, SpanBatchBuilder, TraceId};
use proptest::prelude::*;
use query::{
    AttributeTest, Budget, Condition, Operand, Operator, SearchQuery, TracesOfLoneEvents,
    events_without_span, search, traces_of_lone_events,
};
use store::{MemoryScan, Snapshot};

use crate::naive::{Span, batch, span_id};

/// An event with the attribute "n".
#[derive(Debug, Clone, Copy)]
struct Event {
    trace: u8,
    span: u8,
    value: i64,
    time_unix_nano: u64,
}

fn scan_of(spans: &[Span], events: &[Event], is_block: bool) -> Arc<dyn Scan> {
    let mut builder = SpanBatchBuilder::new();
    builder.push_batch(&batch(spans));
    for event in events {
        let mut list = Vec::new();
        put_key_value(&mut list, 1, "n", AnyValue::Int(event.value));
        builder.push_lone_event(&LoneEvent {
            trace_id: TraceId([event.trace; 16]),
            span_id: span_id(event.span),
            time_unix_nano: event.time_unix_nano,
            name: "exception",
            attributes: Attributes::new(&list),
            dropped_attributes_count: 0,
            resource: &[],
            scope: &[],
        });
    }
    let batch: SpanBatch = builder.finish();
    if !is_block {
        return MemoryScan::new(batch).into_scan();
    }
    let host = SimHost::new(1).host();
    let id = BlockId::random(&*host.random);
    let arrived = ArrivedRange {
        min_unix_nano: 0,
        max_unix_nano: 0,
    };
    let dir = Path::new("default/h0");
    let meta = block::write(&host, dir, &id, Window::Hour(0), arrived, &batch).unwrap();
    Arc::new(Block::open(&host, dir, &meta).unwrap())
}

fn is_n(operator: Operator, value: i64, scope: Option<AttributeScope>) -> Condition {
    Condition::Attribute {
        scope,
        key: "n".to_owned(),
        test: AttributeTest::new(operator, Operand::Written(value.to_string())).unwrap(),
    }
}

/// How many spans of each trace match.
fn matched(snapshot: &Snapshot, conditions: Vec<Condition>) -> BTreeMap<TraceId, u64> {
    let query = SearchQuery {
        conditions,
        limit: 1000,
        ..SearchQuery::default()
    };
    let page = search(snapshot, &query, &Budget::unlimited()).unwrap();
    assert!(!page.truncated && page.next.is_none());
    let traces = page.traces.into_iter();
    traces
        .map(|trace| (trace.trace_id, trace.matched_spans))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn an_event_counts_for_its_span_wherever_both_are(
        spans in prop::collection::btree_map((1u8..8, 1u8..5), (0usize..3, prop::option::of(0i64..3)), 0..20),
        events in prop::collection::vec((1u8..8, 0u8..5, 0usize..3, 0i64..3), 0..20),
        are_blocks in prop::array::uniform3(prop::bool::weighted(0.2)),
        operator in prop_oneof![Just(Operator::Equal), Just(Operator::Less)],
        value in 0i64..3,
    ) {
        let scans = (0..3usize).map(|scan| {
            let spans: Vec<Span> = spans.iter().filter(|(_, (at, _))| *at == scan).map(|((trace, id), (_, own))| Span {
                attribute: own.map(|value| (AttributeScope::Event, value)),
                ..Span::new(*trace, *id, 0)
            }).collect();
            let events: Vec<Event> = events.iter().filter(|(_, _, at, _)| *at == scan).map(|(trace, span, _, value)| {
                Event { trace: *trace, span: *span, value: *value, time_unix_nano: 7 }
            }).collect();
            scan_of(&spans, &events, are_blocks[scan])
        });
        let snapshot = Snapshot::new(scans.collect());

        let holds = |n: i64| if operator == Operator::Equal { n == value } else { n < value };
        let by_event: BTreeSet<(u8, u8)> = events.iter().filter(|(.., n)| holds(*n)).map(|(trace, span, ..)| (*trace, *span)).collect();
        let mut expected: BTreeMap<TraceId, u64> = BTreeMap::new();
        for (ids, (_, own)) in &spans {
            if own.is_some_and(holds) || by_event.contains(ids) {
                *expected.entry(TraceId([ids.0; 16])).or_default() += 1;
            }
        }
        for scope in [Some(AttributeScope::Event), None] {
            let found = matched(&snapshot, vec![is_n(operator, value, scope)]);
            prop_assert_eq!(&found, &expected);
            let nested = Condition::AnyOf(vec![Condition::Kind(77), is_n(operator, value, scope)]);
            prop_assert_eq!(&matched(&snapshot, vec![nested]), &expected);
        }
        let test = AttributeTest::new(operator, Operand::Written(value.to_string())).unwrap();
        let traces = traces_of_lone_events(&snapshot, "n", &test, 0, &Budget::unlimited()).unwrap();
        let of_events = by_event.iter().map(|(trace, _)| TraceId([*trace; 16])).collect();
        prop_assert_eq!(traces, TracesOfLoneEvents { trace_ids: of_events, truncated: false });
        let elsewhere = matched(&snapshot, vec![is_n(operator, value, Some(AttributeScope::Span))]);
        prop_assert_eq!(elsewhere, BTreeMap::new());
    }
}

#[test]
fn events_of_long_before_the_searched_time_are_not_read() {
    const HOUR_NANO: u64 = 3_600_000_000_000;
    let event = |time_unix_nano| Event {
        trace: 1,
        span: 1,
        value: 5,
        time_unix_nano,
    };
    let start = 10 * HOUR_NANO;
    let span = Span {
        start,
        ..Span::new(1, 1, 0)
    };
    let query = SearchQuery {
        conditions: vec![is_n(Operator::Equal, 5, None)],
        starts_unix_nano: start..=start + 1,
        ..SearchQuery::default()
    };
    for (time_unix_nano, is_found) in [
        (start + 5 * HOUR_NANO, true),
        (start - HOUR_NANO, true),
        (start - HOUR_NANO - 1, false),
        (0, true),
    ] {
        for is_block in [false, true] {
            let scan = scan_of(
                std::slice::from_ref(&span),
                &[event(time_unix_nano)],
                is_block,
            );
            let page = search(&Snapshot::new(vec![scan]), &query, &Budget::unlimited()).unwrap();
            assert_eq!(!page.traces.is_empty(), is_found, "{time_unix_nano}");
        }
    }
}

#[test]
fn a_search_that_meets_the_bound_of_events_says_so() {
    let event = |trace| Event {
        trace,
        span: 1,
        value: 5,
        time_unix_nano: 1,
    };
    let newer = scan_of(&[Span::new(1, 1, 0)], &[event(1), event(1)], false);
    let older = scan_of(&[Span::new(2, 1, 0)], &[event(2)], false);
    let snapshot = Snapshot::new(vec![newer, older]);
    let query = SearchQuery {
        conditions: vec![is_n(Operator::Equal, 5, None)],
        ..SearchQuery::default()
    };
    let found = |max_lone_events| {
        let budget = Budget {
            max_lone_events,
            ..Budget::unlimited()
        };
        let page = search(&snapshot, &query, &budget).unwrap();
        let test = AttributeTest::exists();
        let traces = traces_of_lone_events(&snapshot, "n", &test, 0, &budget).unwrap();
        assert_eq!(
            (traces.trace_ids.len(), traces.truncated),
            (page.traces.len(), page.truncated)
        );
        (page.traces.len(), page.truncated)
    };
    assert_eq!(found(3), (2, false));
    assert_eq!(
        found(2),
        (1, true),
        "the newest part's events are considered"
    );
    assert_eq!(found(1), (1, true));
}

#[test]
fn events_wait_for_their_span_and_can_be_seen_meanwhile() {
    let event = |span, value, time_unix_nano| Event {
        trace: 1,
        span,
        value,
        time_unix_nano,
    };
    let waiting = |scans: Vec<Arc<dyn Scan>>| {
        let snapshot = Snapshot::new(scans);
        let found = events_without_span(&snapshot, TraceId([1; 16]), &Budget::unlimited()).unwrap();
        let events = found.event_columns();
        let rows = events.lone_rows();
        rows.map(|row| (events.span_id(row).0[0], events.times.value(row)))
            .collect::<Vec<_>>()
    };
    let events = [event(2, 1, 20), event(1, 2, 30), event(0, 3, 10)];
    // A client's repeat is no second event.
    let scans = vec![
        scan_of(&[], &events, true),
        scan_of(&[], &events[..1], false),
    ];
    assert_eq!(waiting(scans.clone()), [(0, 10), (2, 20), (1, 30)]);
    let with_span = scan_of(&[Span::new(1, 2, 0), Span::new(2, 1, 0)], &[], false);
    assert_eq!(
        waiting([scans, vec![with_span]].concat()),
        [(0, 10), (1, 30)]
    );
}
