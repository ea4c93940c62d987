//! A block answers what the batch it was written from would answer.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::path::Path;

use arrow_array::cast::AsArray;
use block::{ArrivedRange, Block, BlockError, BlockId, BlockMeta, Window};
use host::sim::SimHost;
use model::{AttributeScope, AttributeValue, Field, RowSet, Scan, SpanBatch, TraceId};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use proptest::prelude::*;
use prost::Message;

const DIR: &str = "default/h0";
const ARRIVED: ArrivedRange = ArrivedRange {
    min_unix_nano: 7,
    max_unix_nano: 9,
};

struct Written {
    sim: SimHost,
    meta: BlockMeta,
    block: Block,
}

fn write(batch: &SpanBatch) -> Written {
    let sim = SimHost::new(1);
    let host = sim.host();
    let id = BlockId::random(&*host.random);
    let meta = block::write(&host, Path::new(DIR), &id, Window::Hour(0), ARRIVED, batch).unwrap();
    let block = Block::open(&host, Path::new(DIR), &meta).unwrap();
    Written { sim, meta, block }
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

fn span_strategy() -> impl Strategy<Value = (u8, Span)> {
    let value = prop_oneof![
        "[a-c]{0,3}".prop_map(any_value::Value::StringValue),
        (-3i64..3).prop_map(any_value::Value::IntValue),
        any::<bool>().prop_map(any_value::Value::BoolValue),
        any::<f64>().prop_map(any_value::Value::DoubleValue),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(any_value::Value::BytesValue),
    ];
    let attributes = prop::collection::vec(("[a-e]", value), 0..6).prop_map(|attributes| {
        attributes
            .into_iter()
            .map(|(key, value)| attribute(&key, value))
            .collect::<Vec<_>>()
    });
    let ids = (0u8..6, 1u8..12, prop::option::of(0u8..12));
    let times = (
        0u64..1000,
        prop_oneof![Just(None), (0u64..1000).prop_map(Some)],
    );
    (
        0u8..3,
        ids,
        times,
        attributes.clone(),
        prop::collection::vec(attributes, 0..3),
        any::<bool>(),
    )
        .prop_map(
            |(resource, (trace, id, parent), (start, duration), attributes, events, flag)| {
                let span = Span {
                    trace_id: vec![trace; 16],
                    span_id: vec![id; 8],
                    parent_span_id: parent.map_or(Vec::new(), |parent| vec![parent; 8]),
                    name: format!("op{}", id % 3),
                    kind: i32::from(id % 6),
                    start_time_unix_nano: start,
                    end_time_unix_nano: duration.map_or(0, |duration| start + duration),
                    events: events
                        .into_iter()
                        .map(|attributes| Event {
                            time_unix_nano: start,
                            name: "event".to_owned(),
                            attributes,
                            dropped_attributes_count: 1,
                        })
                        .collect(),
                    attributes,
                    links: if flag {
                        vec![Link {
                            trace_id: vec![9; 16],
                            ..Link::default()
                        }]
                    } else {
                        vec![]
                    },
                    status: flag.then(|| Status {
                        message: "m".to_owned(),
                        code: 2,
                    }),
                    trace_state: if flag {
                        "a=b".to_owned()
                    } else {
                        String::new()
                    },
                    flags: u32::from(flag) * 257,
                    dropped_attributes_count: u32::from(id),
                    ..Span::default()
                };
                (resource, span)
            },
        )
}

fn batch_of(spans: Vec<(u8, Span)>) -> SpanBatch {
    let resource_spans = spans
        .into_iter()
        .map(|(resource, span)| ResourceSpans {
            resource: (resource > 0).then(|| Resource {
                attributes: vec![attribute(
                    "service.name",
                    any_value::Value::StringValue(format!("service{resource}")),
                )],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    ..Default::default()
                }),
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        })
        .collect();
    SpanBatch::from_otlp(&TracesData { resource_spans }.encode_to_vec()).unwrap()
}

/// Everything about the spans, each in the form that equal spans share, sorted.
fn spans_of(batch: &SpanBatch) -> Vec<Vec<u8>> {
    let columns = batch.columns();
    let mut spans: Vec<_> = (0..columns.len())
        .map(|row| columns.canonical(row).unwrap())
        .collect();
    spans.sort();
    spans
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_span_is_read_back_whole(spans in prop::collection::vec(span_strategy(), 0..80)) {
        let batch = batch_of(spans);
        let Written { block, meta, sim } = write(&batch);
        prop_assert_eq!(block::check(&sim.host(), Path::new(DIR), &meta, &mut |_| {}).defects, []);
        prop_assert_eq!(meta.spans as usize, batch.len());
        prop_assert_eq!(block.len(), batch.len());
        let read = block.read(&RowSet::range(0..block.len())).unwrap();
        prop_assert_eq!(spans_of(&read), spans_of(&batch));
    }

    #[test]
    fn parts_and_columns_agree_with_the_whole(
        spans in prop::collection::vec(span_strategy(), 1..80),
        picks in prop::collection::btree_set(0usize..80, 0..20),
    ) {
        let batch = batch_of(spans);
        let Written { block, .. } = write(&batch);
        let whole = block.read(&RowSet::range(0..block.len())).unwrap();
        let rows = RowSet::from_sorted(picks.into_iter().filter(|row| *row < block.len()));
        let part = block.read(&rows).unwrap();
        let (all, part) = (whole.columns(), part.columns());
        prop_assert_eq!(part.len(), rows.len());
        let parents = block.column(Field::ParentSpanId, &rows).unwrap();
        let ends = block.column(Field::End, &rows).unwrap();
        for (index, row) in rows.iter().enumerate() {
            prop_assert_eq!(part.canonical(index).unwrap(), all.canonical(row).unwrap());
            let parent = arrow_array::Array::is_valid(&parents, index)
                .then(|| parents.as_fixed_size_binary().value(index).to_vec());
            prop_assert_eq!(parent, all.parent_span_id(row).map(|id| id.0.to_vec()));
            let end = ends.as_primitive::<arrow_array::types::UInt64Type>().value(index);
            prop_assert_eq!(end, all.ends.value(row));
        }
        for trace in 0u8..7 {
            let id = TraceId([trace; 16]);
            let found: Vec<usize> = block.trace_rows(&id).unwrap().iter().collect();
            let expected: Vec<usize> = (0..all.len()).filter(|row| all.trace_id(*row) == id).collect();
            prop_assert!(found.is_empty() || block.may_contain_trace(&id));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn an_attribute_finds_the_same_rows_in_a_block_and_in_memory(
        spans in prop::collection::vec(span_strategy(), 1..80),
        key in "[a-f]",
        wanted in -3i64..3,
    ) {
        let batch = batch_of(spans);
        let Written { block, .. } = write(&batch);
        let rows = RowSet::range(0..block.len());
        let whole = block.read(&rows).unwrap();
        let test = |value: AttributeValue<'_>| match value {
            AttributeValue::Int(value) => value == wanted,
            AttributeValue::String(value) => value.len() == 1,
            AttributeValue::Bytes(value) => value.is_empty(),
            _ => false,
        };
        for scope in [AttributeScope::Span, AttributeScope::Event, AttributeScope::Resource] {
            let found = block.filter_attribute(scope, &key, &rows, &test).unwrap();
            let expected = whole.filter_attribute(scope, &key, &rows, &test).unwrap();
            prop_assert_eq!(&found, &expected);
            prop_assert!(found.is_empty() || block.may_have_attribute(scope, &key));
        }
        let named = |scope, key: &str, value: &str| {
            let test = |found: AttributeValue<'_>| found == AttributeValue::String(value);
            block.filter_attribute(scope, key, &rows, &test).unwrap().len()
        };
        prop_assert_eq!(named(AttributeScope::Instrumentation, "name", "lib"), block.len());
        let service1 = (0..whole.len()).filter(|row| whole.columns().service(*row) == "service1").count();
        prop_assert_eq!(named(AttributeScope::Resource, "service.name", "service1"), service1);
    }
}

#[test]
fn operations_are_counted() {
    let spans = (1..=6).map(|id| {
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![id; 8],
            name: "a".to_owned(),
            ..Span::default()
        };
        (1, span)
    });
    let Written { block, .. } = write(&batch_of(spans.collect()));
    let operations = block.operations().unwrap();
    assert_eq!(operations.len(), 1);
    assert_eq!(
        (operations[0].service.as_str(), operations[0].spans),
        ("service1", 6)
    );
}

fn sample() -> SpanBatch {
    let spans = (1..=200).map(|id| {
        let span = Span {
            trace_id: vec![id / 10 + 1; 16],
            span_id: vec![id; 8],
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            events: vec![Event {
                name: "exception".to_owned(),
                ..Event::default()
            }],
            ..Span::default()
        };
        (1, span)
    });
    batch_of(spans.collect())
}

#[test]
fn a_flipped_bit_is_never_read_as_data() {
    let batch = sample();
    for file in [
        "spans.parquet",
        "events.parquet",
        "traces.parquet",
        "footer",
    ] {
        let Written { sim, meta, .. } = write(&batch);
        let path = format!("{DIR}/{}/{file}", meta.id);
        let len = sim.disk().read_file(&path).unwrap().len();
        for offset in [0, len / 3, len / 2, len - 9, len - 1] {
            sim.disk()
                .flip_bit(Path::new(&path), offset as u64, 3)
                .unwrap();
            let opened = Block::open(&sim.host(), Path::new(DIR), &meta);
            let outcome = opened.map_err(|error| error.to_string()).and_then(|block| {
                let rows = RowSet::range(0..block.len());
                block.read(&rows).map_err(|error| error.to_string())?;
                block
                    .trace_rows(&TraceId([3; 16]))
                    .map_err(|error| error.to_string())
            });
            let message = outcome.expect_err("the damage is noticed");
            assert!(message.contains(file), "{file} at {offset}: {message}");
            sim.disk()
                .flip_bit(Path::new(&path), offset as u64, 3)
                .unwrap();
        }
    }
}

#[test]
fn an_unknown_format_is_refused_by_name() {
    let Written { sim, meta, .. } = write(&sample());
    let path = format!("{DIR}/{}/footer", meta.id);
    sim.disk().flip_bit(Path::new(&path), 4, 1).unwrap();
    let error = Block::open(&sim.host(), Path::new(DIR), &meta).unwrap_err();
    assert!(
        matches!(
            error,
            BlockError::UnknownFormat {
                found: 2,
                known: 0,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("start the version that wrote it"),
        "{error}"
    );
}

#[test]
fn a_block_survives_a_power_cut_right_after_it_was_written() {
    let Written { sim, meta, .. } = write(&sample());
    sim.crash(host::sim::Crash::DropUnsynced);
    let block = Block::open(&sim.host(), Path::new(DIR), &meta).unwrap();
    assert_eq!(
        block.read(&RowSet::range(0..block.len())).unwrap().len(),
        200
    );
}
