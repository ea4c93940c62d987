//! Writes OTLP as Zipkin's JSON of version 2.

use super::endpoint::{Endpoint, EndpointKeys, LOCAL, REMOTE, Told, plainly_told, remote_told};
use super::key;
use super::span::kind_name;
use super::tags::Tags;
use super::text::{put_object, put_text};
use crate::WireError;
use crate::json::{Object, put_string};
use crate::otlp::{
    AnyValue, Attributes, Event, KeyValue, Link, ResourceSpans, ScopeSpans, Span, TracesData,
};

const NANO_PER_MICRO: u64 = 1000;

/// Writes the spans of a `TracesData` as a list of Zipkin's spans of version 2.
///
/// ```
/// use backtrail_wire::otlp::SpanLimits;
/// use backtrail_wire::zipkin::{from_otlp, json_v2_to_otlp};
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let span = br#"[{"traceId":"86154a4ba6e91385","id":"4d1e00c0db9010db","kind":"CLIENT","name":"get","timestamp":1472470996199000}]"#;
/// let transcoded = json_v2_to_otlp(span, &limits, 0)?;
/// assert_eq!(from_otlp(&transcoded.protobuf).expect("it was just written"), span);
/// # Ok::<(), backtrail_wire::JsonError>(())
/// ```
pub fn from_otlp(traces: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(traces.len() * 2);
    out.push(b'[');
    for resource_spans in TracesData::new(traces).resource_spans() {
        let resource_spans = resource_spans?;
        let origin = Origin::of(&resource_spans)?;
        for scope_spans in resource_spans.scope_spans() {
            let scope_spans = scope_spans?;
            // What is asked of a scope reads over all that is in its message: each span must not read over all others.
            let mut envelope = Vec::new();
            scope_spans.put_envelope(&mut envelope)?;
            let scope = ScopeSpans::new(&envelope);
            for span in scope_spans.raw_spans() {
                if out.len() > 1 {
                    out.push(b',');
                }
                put_span(&mut out, &origin, &scope, &Span::parse(span?)?)?;
            }
        }
    }
    out.push(b']');
    Ok(out)
}

/// What the spans of one resource share.
struct Origin<'a> {
    service_name: &'a str,
    /// A `KeyValueList`.
    attributes: Vec<u8>,
}

impl<'a> Origin<'a> {
    fn of(resource_spans: &ResourceSpans<'a>) -> Result<Self, WireError> {
        let mut attributes = Vec::new();
        resource_spans.put_attributes(&mut attributes)?;
        Ok(Self {
            service_name: resource_spans.service_name()?.unwrap_or_default(),
            attributes,
        })
    }
}

fn put_span(
    out: &mut Vec<u8>,
    origin: &Origin<'_>,
    scope: &ScopeSpans<'_>,
    span: &Span<'_>,
) -> Result<(), WireError> {
    let mut list = Vec::new();
    span.put_attributes(&mut list)?;
    let attributes: Vec<KeyValue<'_>> = Attributes::new(&list).iter().collect::<Result<_, _>>()?;
    let has = |key: &str| {
        let mut named = attributes.iter().filter(|attribute| attribute.key == key);
        named.any(|attribute| attribute.value == AnyValue::Bool(true))
    };
    let mut tags = Tags::new(&attributes);
    let mut local = endpoint(&LOCAL, span.kind, &attributes, &mut tags)?;
    local.service_name = origin.service_name.into();
    let remote = endpoint(&REMOTE, span.kind, &attributes, &mut tags)?;

    let mut object = Object::begin(out);
    object.id("traceId", trace_id(span.trace_id));
    if span.parent_span_id.iter().any(|byte| *byte != 0) {
        object.id("parentId", span.parent_span_id);
    }
    object.id("id", span.span_id);
    if let Some(kind) = kind_name(span.kind) {
        object.text("kind", kind);
    }
    object.text_unless_empty("name", span.name);
    if span.start_unix_nano != 0 && !has(key::NO_TIMESTAMP) {
        object.number("timestamp", span.start_unix_nano / NANO_PER_MICRO);
    }
    let duration_nano = span.end_unix_nano.saturating_sub(span.start_unix_nano);
    if duration_nano != 0 {
        // Zipkin takes 0 for a duration that is not known.
        object.number("duration", (duration_nano / NANO_PER_MICRO).max(1));
    }
    put_endpoint(&mut object, "localEndpoint", &local);
    put_endpoint(&mut object, "remoteEndpoint", &remote);
    let mut events = span.events().peekable();
    if events.peek().is_some() {
        object.list("annotations", events, |out, event| {
            put_annotation(out, &event?)
        })?;
    }
    let status = span.status.unwrap_or_default();
    tags.own(status.code)?;
    tags.status(status);
    tags.scope(scope)?;
    tags.put("w3c.tracestate", AnyValue::String(span.trace_state))?;
    tags.count(
        "otel.dropped_attributes_count",
        span.dropped_attributes_count,
    )?;
    tags.count("otel.dropped_events_count", span.dropped_events_count)?;
    tags.count("otel.dropped_links_count", span.dropped_links_count)?;
    for (index, link) in span.raw_links().enumerate() {
        tags.link(index, &Link::parse(link?)?)?;
    }
    tags.resource(Attributes::new(&origin.attributes))?;
    tags.put_as(&mut object, "tags");
    for (name, key) in [("debug", key::DEBUG), ("shared", key::SHARED)] {
        if has(key) {
            object.number(name, true);
        }
    }
    object.end();
    Ok(())
}

/// Zipkin's ids of 64 bits have 16 digits.
fn trace_id(id: &[u8]) -> &[u8] {
    match id.split_at_checked(8) {
        Some(([0, 0, 0, 0, 0, 0, 0, 0], low)) => low,
        _ => id,
    }
}

/// The endpoint that the attributes tell; those that tell nothing else are no tags.
fn endpoint<'a>(
    keys: &EndpointKeys,
    kind: i32,
    attributes: &[KeyValue<'a>],
    tags: &mut Tags<'a, '_>,
) -> Result<Endpoint<'a>, WireError> {
    let explicit = attributes
        .iter()
        .find_map(|attribute| match attribute.value {
            AnyValue::Map(map) if attribute.key == keys.explicit => Some(map),
            _ => None,
        });
    if let Some(map) = explicit {
        let mut endpoint = Endpoint::default();
        let mut tag_keys = Vec::new();
        for entry in map.iter() {
            let entry = entry?;
            match (entry.key, entry.value) {
                ("serviceName", AnyValue::String(name)) => endpoint.service_name = name.into(),
                ("ipv4" | "ipv6", AnyValue::String(address)) => endpoint.set_address(address),
                ("port", AnyValue::Int(port)) => {
                    endpoint.port = u16::try_from(port).unwrap_or_default();
                }
                ("tags", AnyValue::Array(keys)) => {
                    tag_keys = keys.iter().collect::<Result<_, _>>()?;
                }
                _ => {}
            }
        }
        let is_tag = |key: &str| tag_keys.contains(&AnyValue::String(key));
        for key in keys.plain().filter(|key| !is_tag(key)) {
            tags.leave_out(key);
        }
        return Ok(endpoint);
    }
    let get = |key: &str| {
        let mut named = attributes.iter().filter(|attribute| attribute.key == key);
        named.next().map(|attribute| attribute.value)
    };
    let Told { endpoint, by } = match keys.service_name {
        Some(_) => remote_told(kind, get),
        None => plainly_told(keys, get),
    };
    for key in by.into_iter().flatten() {
        tags.leave_out(key);
    }
    Ok(endpoint)
}

fn put_endpoint(object: &mut Object<'_>, name: &str, endpoint: &Endpoint<'_>) {
    if *endpoint == Endpoint::default() {
        return;
    }
    let mut written = object.object(name);
    written.text_unless_empty("serviceName", &endpoint.service_name);
    if let Some(address) = endpoint.ipv4 {
        written.text("ipv4", &address.to_string());
    }
    if let Some(address) = endpoint.ipv6 {
        written.text("ipv6", &address.to_string());
    }
    if endpoint.port != 0 {
        written.number("port", endpoint.port);
    }
    written.end();
}

fn put_annotation(out: &mut Vec<u8>, event: &Event<'_>) -> Result<(), WireError> {
    let mut list = Vec::new();
    event.put_attributes(&mut list)?;
    let mut object = Object::begin(out);
    object.number("timestamp", event.time_unix_nano / NANO_PER_MICRO);
    if list.is_empty() {
        object.text("value", event.name);
    } else {
        let mut value = Vec::new();
        put_string(&mut value, event.name);
        value.extend_from_slice(b": ");
        put_object(&mut value, Attributes::new(&list), 0)?;
        object.text("value", &String::from_utf8_lossy(&value));
    }
    object.end();
    Ok(())
}

/// A value as text.
pub(super) fn text_of(value: AnyValue<'_>) -> Result<String, WireError> {
    let mut text = Vec::new();
    put_text(&mut text, value)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
