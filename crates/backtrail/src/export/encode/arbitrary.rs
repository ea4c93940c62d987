//! Spans for tests: plain ones, and generated ones of every shape.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A span with nothing but ids, a name and times.
pub(super) fn plain_span() -> SpanData {
    let start_time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(0x0102_0304_0506_0708_1112_1314_1516_1718),
            SpanId::from(0x2122_2324_2526_2728),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "work".into(),
        start_time,
        end_time: start_time + Duration::from_micros(1_500),
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("tests").build(),
    }
}

/// Spans of a few scopes. `key` generates the keys of attributes.
pub(super) fn batches(key: &'static str) -> impl Strategy<Value = Vec<SpanData>> {
    vec(spans(key), 0..6)
}

fn spans(key: &'static str) -> impl Strategy<Value = SpanData> {
    let identity = (
        contexts(),
        option::of(1..=u64::MAX),
        any::<bool>(),
        kinds(),
        texts(),
    );
    let parts = (
        attributes(key),
        vec(events(key), 0..3),
        vec(links(key), 0..3),
        statuses(),
        scopes(),
    );
    let counts = (any::<u32>(), any::<u32>(), 0..3u32);
    (identity, times(), times(), parts, counts).prop_map(
        |(
            (span_context, parent, parent_span_is_remote, span_kind, name),
            start,
            end,
            parts,
            counts,
        )| {
            let (attributes, event_list, link_list, status, instrumentation_scope) = parts;
            let (dropped_attributes_count, dropped_events, dropped_links) = counts;
            let mut events = SpanEvents::default();
            events.events = event_list;
            events.dropped_count = dropped_events;
            let mut links = SpanLinks::default();
            links.links = link_list;
            links.dropped_count = dropped_links;
            SpanData {
                span_context,
                parent_span_id: SpanId::from(parent.unwrap_or_default()),
                parent_span_is_remote,
                span_kind,
                name: name.into(),
                start_time: start.min(end),
                end_time: start.max(end),
                attributes,
                dropped_attributes_count,
                events,
                links,
                status,
                instrumentation_scope,
            }
        },
    )
}

pub(crate) fn contexts() -> impl Strategy<Value = SpanContext> {
    let trace_state = vec(("[a-z][a-z0-9_*-]{0,5}", "[!-+:-<>-~]{0,9}"), 0..3)
        .prop_map(|members| TraceState::from_key_value(members).unwrap_or_default());
    let ids = (1..=u128::MAX, 1..=u64::MAX);
    (ids, any::<u8>(), any::<bool>(), trace_state).prop_map(
        |((trace_id, span_id), flags, is_remote, trace_state)| {
            let flags = TraceFlags::new(flags);
            SpanContext::new(
                trace_id.into(),
                span_id.into(),
                flags,
                is_remote,
                trace_state,
            )
        },
    )
}

pub(crate) fn kinds() -> impl Strategy<Value = SpanKind> {
    use SpanKind::{Client, Consumer, Internal, Producer, Server};
    prop::sample::select(vec![Client, Consumer, Internal, Producer, Server])
}

pub(crate) fn statuses() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Unset),
        Just(Status::Ok),
        texts().prop_map(Status::error),
    ]
}

fn scopes() -> impl Strategy<Value = InstrumentationScope> {
    let text = |text: &'static str| option::of(prop::sample::select(vec!["", text]));
    (0..3u8, text("1.0"), text("schema"), 0..2i64).prop_map(|(name, version, schema, count)| {
        let mut scope = InstrumentationScope::builder("x".repeat(name.into()))
            .with_attributes((0..count).map(|index| KeyValue::new("scope", index)));
        if let Some(version) = version {
            scope = scope.with_version(version);
        }
        if let Some(schema) = schema {
            scope = scope.with_schema_url(schema);
        }
        scope.build()
    })
}

/// From before 1970 to the last nanosecond that has a number.
fn times() -> impl Strategy<Value = SystemTime> {
    prop_oneof![
        4 => any::<u64>().prop_map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos)),
        1 => any::<u32>().prop_map(|nanos| UNIX_EPOCH - Duration::from_nanos(nanos.into())),
    ]
}

pub(crate) fn events(key: &'static str) -> impl Strategy<Value = Event> {
    (texts(), times(), attributes(key), 0..3u32)
        .prop_map(|(name, time, attributes, dropped)| Event::new(name, time, attributes, dropped))
}

pub(crate) fn links(key: &'static str) -> impl Strategy<Value = Link> {
    (contexts(), attributes(key), 0..3u32)
        .prop_map(|(context, attributes, dropped)| Link::new(context, attributes, dropped))
}

pub(crate) fn attributes(key: &'static str) -> impl Strategy<Value = Vec<KeyValue>> {
    vec((key, values()), 0..12).prop_map(|attributes| {
        let attributes = attributes.into_iter();
        attributes
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        1 => prop_oneof![any::<i64>(), 0..1000i64].prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        4 => texts().prop_map(Value::from),
        1 => vec(any::<bool>(), 0..9).prop_map(|values| Value::Array(Array::Bool(values))),
        1 => vec(any::<i64>(), 0..9).prop_map(|values| Value::Array(Array::I64(values))),
        1 => vec(any::<f64>(), 0..9).prop_map(|values| Value::Array(Array::F64(values))),
        1 => vec(texts().prop_map(StringValue::from), 0..9)
            .prop_map(|values| Value::Array(Array::String(values))),
    ]
}

/// Empty, short, around the lengths where a varint grows, and huge.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "\\PC{0,30}",
        2 => (100..140usize).prop_map(|len| "x".repeat(len)),
        1 => prop::sample::select(vec![16_370, 16_384, 40_000]).prop_map(|len| "é".repeat(len / 2)),
    ]
}
