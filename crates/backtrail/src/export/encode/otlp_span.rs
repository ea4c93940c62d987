//! One span as OTLP. Everything here runs for every span that ends.
//!
//! Source: `opentelemetry/proto/trace/v1/trace.proto` and `common/v1/common.proto`, version 1.9.

use backtrail_wire::otlp::{AnyValue, put_attribute};
use backtrail_wire::protobuf::{
    begin_message, put_double, put_fixed32, put_fixed64, put_int, put_len, put_message, put_str,
    put_uint, varint_len,
};
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceState};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::attributes::{cut, for_each_last};
use super::time::unix_nanos;

/// Bits of `Span.flags` and `Link.flags` beside the eight of W3C: that the next is known, and that the context came from elsewhere.
const HAS_IS_REMOTE: u32 = 0x100;
pub(crate) const IS_REMOTE: u32 = 0x200;

/// The parts of a span that has ended. Lists are encoded already, each member as a field of `Span`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanParts<'a> {
    pub(crate) context: &'a SpanContext,
    pub(crate) parent_span_id: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    pub(crate) start_unix_nano: u64,
    pub(crate) end_unix_nano: u64,
    /// Fields 9, 11 and 13.
    pub(crate) attributes: &'a [u8],
    pub(crate) events: &'a [u8],
    pub(crate) links: &'a [u8],
    pub(crate) dropped_attributes_count: u32,
    pub(crate) dropped_events_count: u32,
    pub(crate) dropped_links_count: u32,
    pub(crate) status: &'a Status,
}

/// A span as field 2 of a `ScopeSpans`, whose length is known before it is written.
#[derive(Debug)]
pub(crate) struct SpanField<'a> {
    parts: SpanParts<'a>,
    message_len: usize,
}

/// Ids, kind, times and flags, which every span has.
const FIXED_LEN: usize = 18 + 10 + 2 + 9 + 9 + 6;

impl<'a> SpanField<'a> {
    #[inline]
    pub(crate) fn new(parts: SpanParts<'a>) -> Self {
        let mut len = FIXED_LEN
            + parts.attributes.len()
            + parts.events.len()
            + parts.links.len()
            + status_len(parts.status);
        if !parts.name.is_empty() {
            len += text_len(parts.name.len());
        }
        if parts.parent_span_id != SpanId::INVALID {
            len += 10;
        }
        let trace_state_len = trace_state_len(parts.context.trace_state());
        if trace_state_len > 0 {
            len += text_len(trace_state_len);
        }
        for count in [
            parts.dropped_attributes_count,
            parts.dropped_events_count,
            parts.dropped_links_count,
        ] {
            if count != 0 {
                len += 1 + varint_len(u64::from(count));
            }
        }
        Self {
            parts,
            message_len: len,
        }
    }

    /// In bytes, with tag and length.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        text_len(self.message_len)
    }

    /// Appends it. An end before the start, as after a clock was set back, becomes the start: collectors refuse such spans.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let parts = &self.parts;
        put_len(out, 2, self.message_len);
        put_ids(out, parts.context);
        put_trace_state(out, parts.context.trace_state());
        if parts.parent_span_id != SpanId::INVALID {
            put_len(out, 4, 8);
            out.extend_from_slice(&parts.parent_span_id.to_bytes());
        }
        put_str_unless_empty(out, 5, parts.name);
        put_kind_and_times(out, parts);
        out.extend_from_slice(parts.attributes);
        put_count(out, 10, parts.dropped_attributes_count);
        out.extend_from_slice(parts.events);
        put_count(out, 12, parts.dropped_events_count);
        out.extend_from_slice(parts.links);
        put_count(out, 14, parts.dropped_links_count);
        put_status(out, parts.status);
        put_fixed32(out, 16, flags(parts.context, parts.parent_is_remote));
    }
}

/// Fields 6 to 8.
#[inline]
fn put_kind_and_times(out: &mut Vec<u8>, parts: &SpanParts<'_>) {
    let end_unix_nano = parts.end_unix_nano.max(parts.start_unix_nano);
    // Of a length that is known, they are written at once.
    let mut fields = [0; 20];
    fields[0] = 6 << 3;
    fields[1] = kind(parts.kind);
    fields[2] = 7 << 3 | 1;
    fields[3..11].copy_from_slice(&parts.start_unix_nano.to_le_bytes());
    fields[11] = 8 << 3 | 1;
    fields[12..].copy_from_slice(&end_unix_nano.to_le_bytes());
    out.extend_from_slice(&fields);
}

/// Encodes what the SDK has of a span, for as long as `take` takes.
pub(crate) fn with_field<T>(
    span: &SpanData,
    limits: &EncodeLimits,
    take: impl FnOnce(&SpanField<'_>) -> T,
) -> T {
    let (mut attributes, mut events, mut links) = (Vec::new(), Vec::new(), Vec::new());
    put_attributes(
        &mut attributes,
        9,
        &span.attributes,
        limits.attribute_value_len,
    );
    for event in &span.events.events {
        put_event(&mut events, event, limits);
    }
    for link in &span.links.links {
        put_link(&mut links, link, limits);
    }
    take(&SpanField::new(SpanParts {
        context: &span.span_context,
        parent_span_id: span.parent_span_id,
        parent_is_remote: span.parent_span_is_remote,
        name: &span.name,
        kind: &span.span_kind,
        start_unix_nano: unix_nanos(span.start_time),
        end_unix_nano: unix_nanos(span.end_time),
        attributes: &attributes,
        events: &events,
        links: &links,
        dropped_attributes_count: span.dropped_attributes_count,
        dropped_events_count: span.events.dropped_count,
        dropped_links_count: span.links.dropped_count,
        status: &span.status,
    }))
}

/// How many bytes a field takes whose body is so long, and whose number is below 16.
#[inline]
const fn text_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Appends attributes as field `number`; texts keep at most `max_chars` characters.
#[inline]
pub(super) fn put_attributes(
    out: &mut Vec<u8>,
    number: u32,
    attributes: &[KeyValue],
    max_chars: Option<usize>,
) {
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

/// Appends one attribute as field `number`.
#[inline]
pub(crate) fn put_key_value(
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
    let mut fields = [0; 28];
    fields[..2].copy_from_slice(&[1 << 3 | 2, 16]);
    fields[2..18].copy_from_slice(&context.trace_id().to_bytes());
    fields[18..20].copy_from_slice(&[2 << 3 | 2, 8]);
    fields[20..].copy_from_slice(&context.span_id().to_bytes());
    out.extend_from_slice(&fields);
}

/// Field 3 of a `Span` and of a `Link`, as W3C's header has it.
#[inline]
fn put_trace_state(out: &mut Vec<u8>, trace_state: &TraceState) {
    if trace_state.into_iter().len() > 0 {
        put_message(out, 3, |out| put_trace_state_text(out, trace_state));
    }
}

/// How many bytes [`put_trace_state_text`] appends.
#[inline]
fn trace_state_len(trace_state: &TraceState) -> usize {
    let members = trace_state.into_iter();
    if members.len() == 0 {
        return 0;
    }
    let separators = members.len() - 1;
    let texts: usize = members
        .map(|(key, value)| key.len() + 1 + value.len())
        .sum();
    separators + texts
}

/// Appends what `TraceState::header` returns, which allocates for each of its members.
fn put_trace_state_text(out: &mut Vec<u8>, trace_state: &TraceState) {
    for (index, (key, value)) in trace_state.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

const fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// Appends an event as field 11 of a `Span`.
pub(crate) fn put_event(out: &mut Vec<u8>, event: &Event, limits: &EncodeLimits) {
    let open = begin_message(out, 11);
    put_fixed64(out, 1, unix_nanos(event.timestamp));
    put_str_unless_empty(out, 2, &event.name);
    put_attributes(out, 3, &event.attributes, limits.attribute_value_len);
    put_count(out, 4, event.dropped_attributes_count);
    open.end(out);
}

/// Appends a link as field 13 of a `Span`.
pub(crate) fn put_link(out: &mut Vec<u8>, link: &Link, limits: &EncodeLimits) {
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
fn status_len(status: &Status) -> usize {
    match status {
        Status::Unset => 0,
        Status::Ok => 2 + 2,
        Status::Error { description } if description.is_empty() => 2 + 2,
        Status::Error { description } => text_len(text_len(description.len()) + 2),
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
