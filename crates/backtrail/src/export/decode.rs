//! Spans as the SDK has them, of the bytes in which they wait: for exporters that want them so.
//!
//! What is read was written here, so it has all that the SDK's span has, but for what OTLP does not keep: the type of the elements of an empty
//! array, which is one of texts here, and times before 1970 or after 2554, which are the nearest. And it is as the others export it: of
//! attributes with one key the last, values as long as the limits let them be, no end before the start.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backtrail_wire::WireError;
use backtrail_wire::otlp::{AnyValue, ArrayValue, Event, Link, Span, attributes_of};
use backtrail_wire::protobuf::Fields;
use opentelemetry::trace::{
    Event as SdkEvent, Link as SdkLink, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId,
    TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::encode::{EncodedSpans, IS_REMOTE};

/// The spans of a batch's chunks, in their order.
pub(super) fn spans<'a>(
    chunks: impl Iterator<Item = &'a EncodedSpans>,
) -> Result<Vec<SpanData>, WireError> {
    let mut spans = Vec::new();
    for (scope, run) in chunks.flat_map(EncodedSpans::runs) {
        for field in Fields::new(run) {
            spans.push(span(&Span::parse(field?.bytes()?)?, scope)?);
        }
    }
    Ok(spans)
}

fn span(span: &Span<'_>, scope: &InstrumentationScope) -> Result<SpanData, WireError> {
    let mut events = SpanEvents::default();
    for each in span.events() {
        events.events.push(event(&each?)?);
    }
    events.dropped_count = span.dropped_events_count;
    let mut links = SpanLinks::default();
    for raw in span.raw_links() {
        links.links.push(link(&Link::parse(raw?)?)?);
    }
    links.dropped_count = span.dropped_links_count;
    Ok(SpanData {
        span_context: context(
            span.trace_id,
            span.span_id,
            span.flags,
            false,
            span.trace_state,
        ),
        parent_span_id: span_id(span.parent_span_id),
        parent_span_is_remote: span.flags & IS_REMOTE != 0,
        span_kind: kind(span.kind),
        name: span.name.to_owned().into(),
        start_time: time(span.start_unix_nano),
        end_time: time(span.end_unix_nano),
        attributes: attributes(span.raw, 9)?,
        dropped_attributes_count: span.dropped_attributes_count,
        events,
        links,
        status: match span.status {
            Some(status) if status.code == 1 => Status::Ok,
            Some(status) if status.code == 2 => Status::error(status.message.to_owned()),
            _ => Status::Unset,
        },
        instrumentation_scope: scope.clone(),
    })
}

fn event(event: &Event<'_>) -> Result<SdkEvent, WireError> {
    Ok(SdkEvent::new(
        event.name.to_owned(),
        time(event.time_unix_nano),
        attributes(event.raw, 3)?,
        event.dropped_attributes_count,
    ))
}

fn link(link: &Link<'_>) -> Result<SdkLink, WireError> {
    let is_remote = link.flags & IS_REMOTE != 0;
    Ok(SdkLink::new(
        context(
            link.trace_id,
            link.span_id,
            link.flags,
            is_remote,
            link.trace_state,
        ),
        attributes(link.raw, 4)?,
        link.dropped_attributes_count,
    ))
}

fn context(
    trace_id: &[u8],
    span_id: &[u8],
    flags: u32,
    is_remote: bool,
    trace_state: &str,
) -> SpanContext {
    let trace_id = trace_id.try_into().map(TraceId::from_bytes);
    SpanContext::new(
        trace_id.unwrap_or(TraceId::INVALID),
        self::span_id(span_id),
        TraceFlags::new(flags as u8),
        is_remote,
        self::trace_state(trace_state),
    )
}

/// It was written of a trace state, so it is one.
fn trace_state(text: &str) -> TraceState {
    let members = text.split(',').filter_map(|member| member.split_once('='));
    TraceState::from_key_value(members).unwrap_or_default()
}

fn span_id(id: &[u8]) -> SpanId {
    id.try_into().map_or(SpanId::INVALID, SpanId::from_bytes)
}

const fn kind(kind: i32) -> SpanKind {
    match kind {
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn time(unix_nano: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nano)
}

/// The attributes that are field `number` of a message.
pub(crate) fn attributes(message: &[u8], number: u32) -> Result<Vec<KeyValue>, WireError> {
    let mut attributes = Vec::new();
    for attribute in attributes_of(message, number) {
        let attribute = attribute?;
        if let Some(value) = value(attribute.value)? {
            attributes.push(KeyValue::new(attribute.key.to_owned(), value));
        }
    }
    Ok(attributes)
}

/// Nothing for what the SDK has no type for, which is never written here.
fn value(value: AnyValue<'_>) -> Result<Option<Value>, WireError> {
    Ok(Some(match value {
        AnyValue::String(text) => Value::String(text.to_owned().into()),
        AnyValue::Bool(value) => Value::Bool(value),
        AnyValue::Int(value) => Value::I64(value),
        AnyValue::Double(value) => Value::F64(value),
        AnyValue::Array(elements) => Value::Array(array(elements)?),
        AnyValue::Empty | AnyValue::Map(_) | AnyValue::Bytes(_) => return Ok(None),
    }))
}

/// An array is of one type: that of its first element.
fn array(elements: ArrayValue<'_>) -> Result<Array, WireError> {
    let elements: Vec<AnyValue<'_>> = elements.iter().collect::<Result<_, _>>()?;
    let of = elements.iter();
    Ok(match elements.first() {
        Some(AnyValue::Bool(_)) => Array::Bool(of.filter_map(as_bool).collect()),
        Some(AnyValue::Int(_)) => Array::I64(of.filter_map(as_int).collect()),
        Some(AnyValue::Double(_)) => Array::F64(of.filter_map(as_double).collect()),
        _ => Array::String(of.filter_map(as_text).collect()),
    })
}

const fn as_bool(value: &AnyValue<'_>) -> Option<bool> {
    match value {
        AnyValue::Bool(value) => Some(*value),
        _ => None,
    }
}

const fn as_int(value: &AnyValue<'_>) -> Option<i64> {
    match value {
        AnyValue::Int(value) => Some(*value),
        _ => None,
    }
}

const fn as_double(value: &AnyValue<'_>) -> Option<f64> {
    match value {
        AnyValue::Double(value) => Some(*value),
        _ => None,
    }
}

fn as_text(value: &AnyValue<'_>) -> Option<StringValue> {
    match value {
        AnyValue::String(text) => Some((*text).to_owned().into()),
        _ => None,
    }
}
