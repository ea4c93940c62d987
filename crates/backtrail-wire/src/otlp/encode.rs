//! Writes spans from their parts.

use crate::WireError;
use crate::otlp::{Attributes, Status};
use crate::protobuf::{
    put_bytes, put_fixed32, put_fixed64, put_int, put_message, put_str, put_uint,
};

/// A span's parts but for its events, which [`put_span`]'s last argument writes. Scalars at their default are not written, as proto3 has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanFields<'a> {
    /// 16 bytes.
    pub trace_id: &'a [u8],
    /// 8 bytes.
    pub span_id: &'a [u8],
    /// W3C `tracestate`.
    pub trace_state: &'a str,
    /// Empty or 8 bytes.
    pub parent_span_id: &'a [u8],
    /// W3C and OTLP flags.
    pub flags: u32,
    /// The name of the operation.
    pub name: &'a str,
    /// `SpanKind`.
    pub kind: i32,
    /// Nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// Nanoseconds since 1970.
    pub end_unix_nano: u64,
    /// The attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// How many events the client dropped.
    pub dropped_events_count: u32,
    /// The links, as a message whose field 1 repeats `Link`.
    pub links: &'a [u8],
    /// How many links the client dropped.
    pub dropped_links_count: u32,
    /// Written when it is there, also when it is empty.
    pub status: Option<Status<'a>>,
}

/// Appends the fields of a `Span` message; `events` writes its events with [`put_event`].
pub fn put_span(
    out: &mut Vec<u8>,
    span: &SpanFields<'_>,
    events: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    put_bytes(out, 1, span.trace_id);
    put_bytes(out, 2, span.span_id);
    put_str_unless_empty(out, 3, span.trace_state);
    if !span.parent_span_id.is_empty() {
        put_bytes(out, 4, span.parent_span_id);
    }
    put_str_unless_empty(out, 5, span.name);
    if span.kind != 0 {
        put_int(out, 6, i64::from(span.kind));
    }
    put_fixed64_unless_zero(out, 7, span.start_unix_nano);
    put_fixed64_unless_zero(out, 8, span.end_unix_nano);
    span.attributes.put_as_field(9, out)?;
    put_uint_unless_zero(out, 10, span.dropped_attributes_count);
    events(out)?;
    put_uint_unless_zero(out, 12, span.dropped_events_count);
    Attributes::new(span.links).put_as_field(13, out)?;
    put_uint_unless_zero(out, 14, span.dropped_links_count);
    if let Some(status) = span.status {
        put_message(out, 15, |out| {
            put_str_unless_empty(out, 2, status.message);
            if status.code != 0 {
                put_int(out, 3, i64::from(status.code));
            }
        });
    }
    if span.flags != 0 {
        put_fixed32(out, 16, span.flags);
    }
    Ok(())
}

/// Appends one event as field 11 of a `Span`.
pub fn put_event(
    out: &mut Vec<u8>,
    time_unix_nano: u64,
    name: &str,
    attributes: Attributes<'_>,
    dropped_attributes_count: u32,
) -> Result<(), WireError> {
    let mut result = Ok(());
    put_message(out, 11, |out| {
        put_fixed64_unless_zero(out, 1, time_unix_nano);
        put_str_unless_empty(out, 2, name);
        result = attributes.put_as_field(3, out);
        put_uint_unless_zero(out, 4, dropped_attributes_count);
    });
    result
}

fn put_str_unless_empty(out: &mut Vec<u8>, number: u32, value: &str) {
    if !value.is_empty() {
        put_str(out, number, value);
    }
}

fn put_fixed64_unless_zero(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_fixed64(out, number, value);
    }
}

fn put_uint_unless_zero(out: &mut Vec<u8>, number: u32, value: u32) {
    if value != 0 {
        put_uint(out, number, u64::from(value));
    }
}
