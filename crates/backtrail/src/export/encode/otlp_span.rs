//! One span as OTLP. Everything here runs for every span that is exported.
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto` and `common/v1/common.proto`, version 1.9.

use backtrail_wire::otlp::{AnyValue, put_attribute, put_short_attributes};
use backtrail_wire::protobuf::{
    begin_message, begin_message_of, put_double, put_fixed32, put_fixed64, put_int, put_len,
    put_message, put_str, put_uint, varint_len,
};
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::attributes::{cut, for_each_last, may_repeat};
use super::time::unix_nanos;

/// Of spans this long and many longer and shorter ones, the length takes two bytes.
const TYPICAL_LEN: usize = 512;

/// Bits of `Span.flags` and `Link.flags` beside the eight of W3C: that the next is known, and that the context came from elsewhere.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Appends a span as field 2 of a `ScopeSpans`. An end before the start, as after a clock was set back, becomes the start: collectors
/// refuse such spans.
pub(super) fn put_span(out: &mut Vec<u8>, span: &SpanData, limits: &EncodeLimits) {
    let open = begin_message_of(out, 2, TYPICAL_LEN);
    put_ids(out, &span.span_context);
    put_trace_state(out, span.span_context.trace_state());
    if span.parent_span_id != SpanId::INVALID {
        put_len(out, 4, 8);
        out.extend_from_slice(&span.parent_span_id.to_bytes());
    }
    put_str_unless_empty(out, 5, &span.name);
    put_uint(out, 6, kind(&span.span_kind));
    let start_unix_nano = unix_nanos(span.start_time);
    put_fixed64(out, 7, start_unix_nano);
    put_fixed64(out, 8, unix_nanos(span.end_time).max(start_unix_nano));
    put_attributes(out, 9, &span.attributes, limits.attribute_value_len);
    put_count(out, 10, span.dropped_attributes_count);
    for event in &span.events.events {
        put_event(out, event, limits);
    }
    put_count(out, 12, span.events.dropped_count);
    for link in &span.links.links {
        put_link(out, link, limits);
    }
    put_count(out, 14, span.links.dropped_count);
    put_status(out, &span.status);
    let flags = flags(&span.span_context, span.parent_span_is_remote);
    put_fixed32(out, 16, flags);
    open.end(out);
}

/// Appends attributes as field `number`; texts keep at most `max_chars` characters.
#[inline]
pub(super) fn put_attributes(
    out: &mut Vec<u8>,
    number: u32,
    attributes: &[KeyValue],
    max_chars: Option<usize>,
) {
    if max_chars.is_none() && !may_repeat(attributes) {
        let plain = attributes
            .iter()
            .map(|attribute| (attribute.key.as_str(), plain_value(&attribute.value)));
        if put_short_attributes(out, number, plain) {
            return;
        }
    }
    for_each_last(attributes, |attribute| {
        put_key_value(
            out,
            number,
            attribute.key.as_str(),
            &attribute.value,
            max_chars,
        );
    });
}

/// A value that is no array.
#[inline]
fn plain_value(value: &Value) -> Option<AnyValue<'_>> {
    Some(match value {
        Value::String(text) => AnyValue::String(text.as_str()),
        Value::I64(value) => AnyValue::Int(*value),
        Value::Bool(value) => AnyValue::Bool(*value),
        Value::F64(value) => AnyValue::Double(*value),
        _ => return None,
    })
}

/// Appends one attribute as field `number`.
#[inline]
pub(super) fn put_key_value(
    out: &mut Vec<u8>,
    number: u32,
    key: &str,
    value: &Value,
    max_chars: Option<usize>,
) {
    let value = match value {
        Value::String(text) => AnyValue::String(cut(text.as_str(), max_chars)),
        Value::I64(value) => AnyValue::Int(*value),
        Value::Bool(value) => AnyValue::Bool(*value),
        Value::F64(value) => AnyValue::Double(*value),
        Value::Array(array) => return put_array(out, number, key, array, max_chars),
        other => return put_other(out, number, key, other, max_chars),
    };
    put_attribute(out, number, key, value);
}

#[cold]
fn put_array(out: &mut Vec<u8>, number: u32, key: &str, array: &Array, max_chars: Option<usize>) {
    let attribute = begin_message(out, number);
    put_str(out, 1, key);
    let value = begin_message(out, 2);
    let list = begin_message(out, 5);
    match array {
        Array::Bool(values) => {
            for value in values {
                put_len(out, 1, 2);
                put_uint(out, 2, u64::from(*value));
            }
        }
        Array::I64(values) => {
            for value in values {
                put_len(out, 1, 1 + varint_len(*value as u64));
                put_int(out, 3, *value);
            }
        }
        Array::F64(values) => {
            for value in values {
                put_len(out, 1, 9);
                put_double(out, 4, *value);
            }
        }
        Array::String(values) => {
            for value in values {
                let text = cut(value.as_str(), max_chars);
                put_len(out, 1, 1 + varint_len(text.len() as u64) + text.len());
                put_str(out, 1, text);
            }
        }
        other => put_message(out, 1, |value| {
            put_str(value, 1, cut(&other.to_string(), max_chars));
        }),
    }
    list.end(out);
    value.end(out);
    attribute.end(out);
}

/// A type of value that a later version of the SDK may have, as text.
#[cold]
fn put_other(out: &mut Vec<u8>, number: u32, key: &str, value: &Value, max_chars: Option<usize>) {
    let text = value.as_str();
    put_attribute(out, number, key, AnyValue::String(cut(&text, max_chars)));
}

/// Fields 1 and 2 of a `Span` and of a `Link`.
#[inline]
fn put_ids(out: &mut Vec<u8>, context: &SpanContext) {
    put_len(out, 1, 16);
    out.extend_from_slice(&context.trace_id().to_bytes());
    put_len(out, 2, 8);
    out.extend_from_slice(&context.span_id().to_bytes());
}

/// Field 3 of a `Span` and of a `Link`, as W3C's header has it.
#[inline]
fn put_trace_state(out: &mut Vec<u8>, trace_state: &TraceState) {
    if trace_state.into_iter().len() > 0 {
        put_message(out, 3, |out| put_trace_state_text(out, trace_state));
    }
}

/// Appends what `TraceState::header` returns, which allocates for each of its members.
pub(super) fn put_trace_state_text(out: &mut Vec<u8>, trace_state: &TraceState) {
    for (index, (key, value)) in trace_state.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

const fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn put_event(out: &mut Vec<u8>, event: &Event, limits: &EncodeLimits) {
    let open = begin_message(out, 11);
    put_fixed64(out, 1, unix_nanos(event.timestamp));
    put_str_unless_empty(out, 2, &event.name);
    put_attributes(out, 3, &event.attributes, limits.attribute_value_len);
    put_count(out, 4, event.dropped_attributes_count);
    open.end(out);
}

fn put_link(out: &mut Vec<u8>, link: &Link, limits: &EncodeLimits) {
    let open = begin_message(out, 13);
    put_ids(out, &link.span_context);
    put_trace_state(out, link.span_context.trace_state());
    put_attributes(out, 4, &link.attributes, limits.attribute_value_len);
    put_count(out, 5, link.dropped_attributes_count);
    let flags = flags(&link.span_context, link.span_context.is_remote());
    put_fixed32(out, 6, flags);
    open.end(out);
}

#[inline]
fn put_status(out: &mut Vec<u8>, status: &Status) {
    match status {
        Status::Unset => {}
        Status::Ok => put_message(out, 15, |out| put_uint(out, 3, 1)),
        Status::Error { description } => put_message(out, 15, |out| {
            put_str_unless_empty(out, 2, description);
            put_uint(out, 3, 2);
        }),
    }
}

#[inline]
fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | HAS_IS_REMOTE | remote
}

#[inline]
pub(super) fn put_str_unless_empty(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_str(out, number, text);
    }
}

#[inline]
fn put_count(out: &mut Vec<u8>, number: u32, count: u32) {
    if count != 0 {
        put_uint(out, number, u64::from(count));
    }
}
