//! An OTLP request as Jaeger's `Batch` struct in Thrift's binary protocol.
//!
//! Sources: `jaeger.thrift` of jaeger-idl, "OpenTelemetry to Jaeger Transformation" and "Transformation to non-OTLP Formats" of
//! OpenTelemetry's specification. The mapping is the inverse of [`backtrail_wire::jaeger_thrift`]'s: what is written here is read
//! there as the same spans, but for what Jaeger has no place for.
//!
//! - Times are in microseconds. Start and end lose the rest each, so that a span that lay within another does so afterwards.
//! - Arrays become text: JSON.
//! - What was dropped is counted in tags `otel.dropped_…_count`, as the specification has it.
//! - Lost are: the attributes, trace states and flags of links, the attributes and schema of scopes, and whether a parent is remote.

use backtrail_wire::WireError;
use backtrail_wire::jaeger_thrift::{Logs, References, SpanHead, Tags, put_batch};
use backtrail_wire::otlp::{
    AnyValue, ArrayValue, Event, KeyValue, Link, ScopeSpans, Span, Status, TracesData,
    attributes_of,
};
use opentelemetry::{Array, StringValue, Value};
use opentelemetry_sdk::Resource;
use serde_json::Value as Json;

/// Memory is set aside for bodies of at most this length; longer ones make it grow.
const MAX_RESERVED_LEN: usize = 32 << 20;

/// Encodes the spans of an OTLP request of a service: the body of a `POST` to a collector's `/api/traces`, of type `application/x-thrift`. The
/// attributes of `resource` but for `service.name` become tags of the process, in the order of their keys. It fails on bytes that are no such request.
pub(crate) fn encode(
    request: &[u8],
    service_name: &str,
    resource: &Resource,
) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity((request.len() * 2).min(MAX_RESERVED_LEN));
    let mut result = Ok(());
    put_batch(
        &mut out,
        service_name,
        |tags| put_resource(tags, resource),
        |spans| {
            result = for_each_span(request, |scope, span| {
                let mut result = Ok(());
                spans.put(&head(span), |parts| {
                    let (mut links, mut tags, mut events) = (Ok(()), Ok(()), Ok(()));
                    parts.references(|references| links = put_links(references, span));
                    parts.tags(|fields| tags = put_span_tags(fields, span, scope));
                    parts.logs(|logs| events = put_events(logs, span));
                    result = links.and(tags).and(events);
                });
                result
            });
        },
    );
    result.map(|()| out)
}

/// What is told of a scope.
struct Scope<'a> {
    name: &'a str,
    version: &'a str,
}

fn for_each_span(
    request: &[u8],
    mut put: impl FnMut(&Scope<'_>, &Span<'_>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    for resource_spans in TracesData::new(request).resource_spans() {
        for scope_spans in resource_spans?.scope_spans() {
            let scope_spans = scope_spans?;
            // What is asked of a scope reads over all that is in its message: it is asked once, of a message without the spans.
            let mut envelope = Vec::new();
            scope_spans.put_envelope(&mut envelope)?;
            let envelope = ScopeSpans::new(&envelope);
            let scope = Scope {
                name: envelope.name()?,
                version: envelope.version()?,
            };
            for span in scope_spans.raw_spans() {
                put(&scope, &Span::parse(span?)?)?;
            }
        }
    }
    Ok(())
}

fn put_resource(tags: &mut Tags<'_>, resource: &Resource) {
    let mut attributes: Vec<_> = resource
        .iter()
        .filter(|(key, _)| key.as_str() != "service.name")
        .collect();
    attributes.sort_unstable_by_key(|(key, _)| key.as_str());
    for (key, value) in attributes {
        let key = key.as_str();
        match value {
            Value::String(text) => tags.string(key, text.as_str()),
            Value::I64(value) => tags.long(key, *value),
            Value::Bool(value) => tags.bool(key, *value),
            Value::F64(value) => tags.double(key, *value),
            Value::Array(array) => tags.string(key, &resource_array(array)),
            // A type that a later version of the SDK may have.
            other => tags.string(key, &other.as_str()),
        }
    }
}

fn head<'a>(span: &Span<'a>) -> SpanHead<'a> {
    let [start_micros, end_micros] =
        [span.start_unix_nano, span.end_unix_nano].map(|nanos| (nanos / NANOS_PER_MICRO) as i64);
    SpanHead {
        trace_id: id(span.trace_id),
        span_id: id(span.span_id),
        parent_span_id: id(span.parent_span_id),
        operation_name: span.name,
        // W3C's flags, without what OTLP has beside them.
        flags: (span.flags & 0xff) as i32,
        start_micros,
        duration_micros: end_micros.saturating_sub(start_micros).max(0),
    }
}

/// All zeros for an id that is not there.
fn id<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}

fn put_links(references: &mut References<'_>, span: &Span<'_>) -> Result<(), WireError> {
    for raw in span.raw_links() {
        let link = Link::parse(raw?)?;
        references.follows_from(id(link.trace_id), id(link.span_id));
    }
    Ok(())
}

/// The tags that stand for fields of OTLP come last: of several with one name a reader takes the last.
fn put_span_tags(tags: &mut Tags<'_>, span: &Span<'_>, scope: &Scope<'_>) -> Result<(), WireError> {
    for attribute in attributes_of(span.raw, 9) {
        put_tag(tags, &attribute?)?;
    }
    let counts = [
        (
            "otel.dropped_attributes_count",
            span.dropped_attributes_count,
        ),
        ("otel.dropped_events_count", span.dropped_events_count),
        ("otel.dropped_links_count", span.dropped_links_count),
    ];
    for (key, count) in counts {
        put_count(tags, key, count);
    }
    if !span.trace_state.is_empty() {
        tags.string("w3c.tracestate", span.trace_state);
    }
    // A version without a name is not looked at.
    if !scope.name.is_empty() || !scope.version.is_empty() {
        tags.string("otel.scope.name", scope.name);
    }
    if !scope.version.is_empty() {
        tags.string("otel.scope.version", scope.version);
    }
    tags.string("span.kind", kind(span.kind));
    put_status(tags, span.status.unwrap_or_default());
    Ok(())
}

#[inline]
fn put_tag(tags: &mut Tags<'_>, attribute: &KeyValue<'_>) -> Result<(), WireError> {
    let key = attribute.key;
    match attribute.value {
        AnyValue::String(text) => tags.string(key, text),
        AnyValue::Int(value) => tags.long(key, value),
        AnyValue::Bool(value) => tags.bool(key, value),
        AnyValue::Double(value) => tags.double(key, value),
        AnyValue::Array(array) => tags.string(key, &json_text(array)?),
        // The SDK has no such values.
        AnyValue::Empty | AnyValue::Map(_) | AnyValue::Bytes(_) => {}
    }
    Ok(())
}

/// An array as JSON. Numbers that JSON has not are text, as in OTLP/JSON.
#[cold]
fn json_text(array: ArrayValue<'_>) -> Result<String, WireError> {
    let mut elements = Vec::new();
    for value in array.iter() {
        elements.push(match value? {
            AnyValue::Bool(value) => value.into(),
            AnyValue::Int(value) => value.into(),
            AnyValue::Double(value) => json_number(value),
            AnyValue::String(text) => text.into(),
            // The SDK has no such elements.
            AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => {
                Json::Null
            }
        });
    }
    Ok(Json::Array(elements).to_string())
}

/// The same of an array as the SDK has it.
#[cold]
fn resource_array(array: &Array) -> String {
    let json: Json = match array {
        Array::Bool(values) => values.iter().copied().collect(),
        Array::I64(values) => values.iter().copied().collect(),
        Array::F64(values) => values.iter().map(|value| json_number(*value)).collect(),
        Array::String(values) => values.iter().map(StringValue::as_str).collect(),
        other => return other.to_string(),
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

const fn kind(kind: i32) -> &'static str {
    match kind {
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "internal",
    }
}

fn put_status(tags: &mut Tags<'_>, status: Status<'_>) {
    match status.code {
        1 => tags.string("otel.status_code", "OK"),
        2 => {
            tags.string("otel.status_code", "ERROR");
            tags.bool("error", true);
            if !status.message.is_empty() {
                tags.string("otel.status_description", status.message);
            }
        }
        _ => {}
    }
}

fn put_events(logs: &mut Logs<'_>, span: &Span<'_>) -> Result<(), WireError> {
    for event in span.events() {
        let event = event?;
        let micros = (event.time_unix_nano / NANOS_PER_MICRO) as i64;
        let mut result = Ok(());
        logs.put(micros, |fields| result = put_event(fields, &event));
        result?;
    }
    Ok(())
}

/// The name is the field `event`, the first, where people look for it. It is the last when an attribute has that key, for a reader takes the
/// last of them.
fn put_event(fields: &mut Tags<'_>, event: &Event<'_>) -> Result<(), WireError> {
    let attributes: Vec<KeyValue<'_>> = attributes_of(event.raw, 3).collect::<Result<_, _>>()?;
    let is_last = attributes.iter().any(|attribute| attribute.key == "event");
    if !is_last {
        fields.string("event", event.name);
    }
    for attribute in &attributes {
        put_tag(fields, attribute)?;
    }
    let key = "otel.dropped_attributes_count";
    put_count(fields, key, event.dropped_attributes_count);
    if is_last {
        fields.string("event", event.name);
    }
    Ok(())
}

const NANOS_PER_MICRO: u64 = 1000;
