//! A batch as Jaeger's `Batch` struct in Thrift's binary protocol.
//!
//! Sources: `jaeger.thrift` of jaeger-idl, "OpenTelemetry to Jaeger Transformation" and "Transformation to non-OTLP Formats" of
//! OpenTelemetry's specification. The mapping is the inverse of [`backtrail_wire::jaeger_thrift`]'s: what is written here is read
//! there as the same spans, but for what Jaeger has no place for.
//!
//! - Times are in microseconds. Start and end lose the rest each, so that a span that lay within another does so afterwards.
//! - Arrays become text: JSON.
//! - What was dropped is counted in tags `otel.dropped_…_count`, as the specification has it.
//! - Lost are: the attributes, trace states and flags of links, the attributes and schema of scopes, and whether a parent is remote.

use backtrail_wire::jaeger_thrift::{Logs, References, SpanHead, Tags, put_batch};
use opentelemetry::trace::{Event, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde_json::Value as Json;

use super::EncodeLimits;
use super::attributes::{cut, for_each_last};
use super::otlp_span::put_trace_state_text;
use super::time::unix_micros;

/// What an HTTP server's span takes, about.
const TYPICAL_SPAN_LEN: usize = 768;
/// Memory is set aside for at most as much; longer batches make it grow.
const MAX_RESERVED_LEN: usize = 32 << 20;

/// Encodes a batch of a service: the body of a `POST` to a collector's `/api/traces`, of type `application/x-thrift`. The resource's
/// attributes but for `service.name` become tags of the process, in the order of their keys.
pub(crate) fn encode<'a>(
    batch: impl Iterator<Item = &'a SpanData>,
    batch_len: usize,
    service_name: &str,
    resource: &Resource,
    limits: &EncodeLimits,
) -> Vec<u8> {
    let spans_len = batch_len.saturating_mul(TYPICAL_SPAN_LEN);
    let mut out = Vec::with_capacity(spans_len.min(MAX_RESERVED_LEN));
    put_batch(
        &mut out,
        service_name,
        |tags| put_resource(tags, resource),
        |spans| {
            for span in batch {
                spans.put(&head(span), |parts| {
                    parts.references(|references| put_links(references, span));
                    parts.tags(|tags| put_span_tags(tags, span, limits));
                    parts.logs(|logs| put_events(logs, span, limits));
                });
            }
        },
    );
    out
}

fn put_resource(tags: &mut Tags<'_>, resource: &Resource) {
    let mut attributes: Vec<_> = resource
        .iter()
        .filter(|(key, _)| key.as_str() != "service.name")
        .collect();
    attributes.sort_unstable_by_key(|(key, _)| key.as_str());
    for (key, value) in attributes {
        put_tag(tags, key.as_str(), value, None);
    }
}

fn head(span: &SpanData) -> SpanHead<'_> {
    let context = &span.span_context;
    let start_micros = unix_micros(span.start_time);
    let end_micros = unix_micros(span.end_time);
    SpanHead {
        trace_id: context.trace_id().to_bytes(),
        span_id: context.span_id().to_bytes(),
        parent_span_id: span.parent_span_id.to_bytes(),
        operation_name: &span.name,
        flags: i32::from(context.trace_flags().to_u8()),
        start_micros,
        duration_micros: end_micros.saturating_sub(start_micros).max(0),
    }
}

fn put_links(references: &mut References<'_>, span: &SpanData) {
    for link in &span.links.links {
        let context = &link.span_context;
        references.follows_from(context.trace_id().to_bytes(), context.span_id().to_bytes());
    }
}

/// The tags that stand for fields of OTLP come last: of several with one name a reader takes the last.
fn put_span_tags(tags: &mut Tags<'_>, span: &SpanData, limits: &EncodeLimits) {
    put_attributes(tags, &span.attributes, limits);
    let counts = [
        (
            "otel.dropped_attributes_count",
            span.dropped_attributes_count,
        ),
        ("otel.dropped_events_count", span.events.dropped_count),
        ("otel.dropped_links_count", span.links.dropped_count),
    ];
    for (key, count) in counts {
        put_count(tags, key, count);
    }
    let trace_state = span.span_context.trace_state();
    if trace_state.into_iter().len() > 0 {
        tags.string_with("w3c.tracestate", |out| {
            put_trace_state_text(out, trace_state);
        });
    }
    let scope = &span.instrumentation_scope;
    let version = scope.version().unwrap_or_default();
    // A version without a name is not looked at.
    if !scope.name().is_empty() || !version.is_empty() {
        tags.string("otel.scope.name", scope.name());
    }
    if !version.is_empty() {
        tags.string("otel.scope.version", version);
    }
    tags.string("span.kind", kind(&span.span_kind));
    put_status(tags, &span.status);
}

fn put_attributes(tags: &mut Tags<'_>, attributes: &[KeyValue], limits: &EncodeLimits) {
    for_each_last(attributes, |attribute| {
        put_tag(
            tags,
            attribute.key.as_str(),
            &attribute.value,
            limits.attribute_value_len,
        );
    });
}

#[inline]
fn put_tag(tags: &mut Tags<'_>, key: &str, value: &Value, max_chars: Option<usize>) {
    match value {
        Value::String(text) => tags.string(key, cut(text.as_str(), max_chars)),
        Value::I64(value) => tags.long(key, *value),
        Value::Bool(value) => tags.bool(key, *value),
        Value::F64(value) => tags.double(key, *value),
        Value::Array(array) => tags.string(key, &json_text(array, max_chars)),
        // A type that a later version of the SDK may have.
        other => tags.string(key, cut(&other.as_str(), max_chars)),
    }
}

/// An array as JSON. Numbers that JSON has not are text, as in OTLP/JSON.
#[cold]
fn json_text(array: &Array, max_chars: Option<usize>) -> String {
    let json: Json = match array {
        Array::Bool(values) => values.iter().copied().collect(),
        Array::I64(values) => values.iter().copied().collect(),
        Array::F64(values) => values.iter().map(|value| json_number(*value)).collect(),
        Array::String(values) => values
            .iter()
            .map(|text| cut(text.as_str(), max_chars))
            .collect(),
        other => return cut(&other.to_string(), max_chars).to_owned(),
    };
    json.to_string()
}

fn json_number(value: f64) -> Json {
    if value.is_finite() {
        return value.into();
    }
    let text = match value {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    };
    text.into()
}

fn put_count(tags: &mut Tags<'_>, key: &str, count: u32) {
    if count != 0 {
        tags.long(key, i64::from(count));
    }
}

const fn kind(kind: &SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn put_status(tags: &mut Tags<'_>, status: &Status) {
    match status {
        Status::Unset => {}
        Status::Ok => tags.string("otel.status_code", "OK"),
        Status::Error { description } => {
            tags.string("otel.status_code", "ERROR");
            tags.bool("error", true);
            if !description.is_empty() {
                tags.string("otel.status_description", description);
            }
        }
    }
}

fn put_events(logs: &mut Logs<'_>, span: &SpanData, limits: &EncodeLimits) {
    for event in &span.events.events {
        let micros = unix_micros(event.timestamp);
        logs.put(micros, |fields| put_event(fields, event, limits));
    }
}

/// The name is the field `event`, the first, where people look for it. It is the last when an attribute has that key, for a reader takes the
/// last of them.
fn put_event(fields: &mut Tags<'_>, event: &Event, limits: &EncodeLimits) {
    let is_last = event
        .attributes
        .iter()
        .any(|attribute| attribute.key.as_str() == "event");
    if !is_last {
        fields.string("event", &event.name);
    }
    put_attributes(fields, &event.attributes, limits);
    let key = "otel.dropped_attributes_count";
    put_count(fields, key, event.dropped_attributes_count);
    if is_last {
        fields.string("event", &event.name);
    }
}
