//! Spans as Jaeger's `Batch` in Thrift's binary encoding, as Jaeger's clients for Node send them.
//!
//! Source: `jaeger.thrift` of `jaegertracing/jaeger-idl`, and Thrift's binary protocol: a field is
//! its type, its number and its value, a struct ends with a zero, numbers are big-endian.

use super::service::Service;
use super::span::{DemoSpan, SpanContext, Status, Value};
use crate::demo::otlp::resource_attributes;

const BOOL: u8 = 2;
const DOUBLE: u8 = 4;
const I32: u8 = 8;
const I64: u8 = 10;
const STRING: u8 = 11;
const STRUCT: u8 = 12;
const LIST: u8 = 15;

/// `TagType`.
const TAG_STRING: i32 = 0;
const TAG_DOUBLE: i32 = 1;
const TAG_BOOL: i32 = 2;
const TAG_LONG: i32 = 3;

/// `SpanRefType.FOLLOWS_FROM`: how Jaeger writes a link.
const FOLLOWS_FROM: i32 = 1;
/// `flags` of a span that was sampled.
const SAMPLED: i32 = 1;

/// A `Batch`. All spans are of `service`.
pub(super) fn batch(service: &Service, spans: &[DemoSpan]) -> Vec<u8> {
    let mut out = Writer::default();
    out.message(1, |process| {
        process.string(1, service.name);
        let tags = resource_attributes(service);
        process.list(2, tags.iter().skip(1), |tag, (key, value)| {
            put_tag(tag, key, &Value::from(*value));
        });
    });
    out.list(2, spans.iter(), put_span);
    out.stop();
    out.bytes
}

fn put_span(out: &mut Writer, span: &DemoSpan) {
    let SpanContext { trace_id, span_id } = span.context;
    out.i64(1, trace_id as u64);
    out.i64(2, (trace_id >> 64) as u64);
    out.i64(3, span_id);
    out.i64(4, span.parent_span_id.unwrap_or(0));
    out.string(5, &span.name);
    if !span.links.is_empty() {
        out.list(6, span.links.iter(), |reference, link| {
            reference.i32(1, FOLLOWS_FROM);
            reference.i64(2, link.trace_id as u64);
            reference.i64(3, (link.trace_id >> 64) as u64);
            reference.i64(4, link.span_id);
        });
    }
    out.i32(7, SAMPLED);
    out.i64(8, span.start_us);
    out.i64(9, span.end_us - span.start_us);
    let tags = tags(span);
    out.list(10, tags.iter(), |tag, (key, value)| {
        put_tag(tag, key, value);
    });
    if !span.events.is_empty() {
        out.list(11, span.events.iter(), |log, event| {
            let mut fields = vec![("event", Value::from(event.name))];
            fields.extend(event.attributes.iter().cloned());
            log.i64(1, event.time_us);
            log.list(2, fields.iter(), |tag, (key, value)| {
                put_tag(tag, key, value);
            });
        });
    }
}

/// What OTLP has fields for and Jaeger has not is tags, as OpenTelemetry's exporter names them.
fn tags(span: &DemoSpan) -> Vec<(&'static str, Value)> {
    let mut tags = span.attributes.clone();
    tags.push(("span.kind", span.kind.name().into()));
    tags.push(("otel.library.name", span.scope.name.into()));
    tags.push(("otel.library.version", span.scope.version.into()));
    if let Status::Error(message) = &span.status {
        tags.push(("otel.status_code", "ERROR".into()));
        tags.push(("otel.status_description", message.as_str().into()));
        tags.push(("error", true.into()));
    }
    tags
}

fn put_tag(out: &mut Writer, key: &str, value: &Value) {
    out.string(1, key);
    match value {
        Value::String(value) => {
            out.i32(2, TAG_STRING);
            out.string(3, value);
        }
        Value::Double(value) => {
            out.i32(2, TAG_DOUBLE);
            out.field(DOUBLE, 4);
            out.bytes.extend(value.to_be_bytes());
        }
        Value::Bool(value) => {
            out.i32(2, TAG_BOOL);
            out.field(BOOL, 5);
            out.bytes.push(u8::from(*value));
        }
        Value::Int(value) => {
            out.i32(2, TAG_LONG);
            out.i64(6, value.cast_unsigned());
        }
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn field(&mut self, kind: u8, number: i16) {
        self.bytes.push(kind);
        self.bytes.extend(number.to_be_bytes());
    }

    fn stop(&mut self) {
        self.bytes.push(0);
    }

    fn i32(&mut self, number: i16, value: i32) {
        self.field(I32, number);
        self.bytes.extend(value.to_be_bytes());
    }

    /// Thrift's numbers are signed, Jaeger's ids and times are not: the bits are the same.
    fn i64(&mut self, number: i16, value: u64) {
        self.field(I64, number);
        self.bytes.extend(value.to_be_bytes());
    }

    fn string(&mut self, number: i16, value: &str) {
        self.field(STRING, number);
        self.bytes.extend((value.len() as u32).to_be_bytes());
        self.bytes.extend(value.as_bytes());
    }

    fn message(&mut self, number: i16, body: impl FnOnce(&mut Self)) {
        self.field(STRUCT, number);
        body(self);
        self.stop();
    }

    fn list<T>(
        &mut self,
        number: i16,
        items: impl ExactSizeIterator<Item = T>,
        mut put: impl FnMut(&mut Self, T),
    ) {
        self.field(LIST, number);
        self.bytes.push(STRUCT);
        self.bytes.extend((items.len() as u32).to_be_bytes());
        for item in items {
            put(self, item);
            self.stop();
        }
    }
}
