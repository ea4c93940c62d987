//! OTLP protobuf as OTLP/JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::WireError;
use crate::json::{Object, put_string};
use crate::otlp::{
    AnyValue, Attributes, Event, Link, ResourceSpans, ScopeSpans, Span, Status, TracesData,
};
use crate::protobuf::{Field, Fields};

/// Deeper values are refused, for each level is a call of its own.
const MAX_VALUE_DEPTH: usize = 200;

/// Writes a `TracesData` message (or `ExportTraceServiceRequest`) as OTLP/JSON: ids in lower-case hexadecimal digits, 64-bit integers
/// as strings, enums as numbers. Fields at their default are left out, but for a span's ids, name, kind
/// and times.
///
/// ```
/// use backtrail_wire::otlp_json::from_protobuf;
///
/// let json = from_protobuf(&[0x0a, 0x02, 0x12, 0x00])?;
/// assert_eq!(json, br#"{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}"#);
/// # Ok::<(), backtrail_wire::WireError>(())
/// ```
pub fn from_protobuf(message: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(message.len() * 3);
    let mut object = Object::begin(&mut out);
    object.list(
        "resourceSpans",
        TracesData::new(message).resource_spans(),
        |out, resource_spans| put_resource_spans(out, &resource_spans?),
    )?;
    object.end();
    Ok(out)
}

/// Appends an attribute's value as OTLP/JSON, such as `{"stringValue":"GET"}`.
pub fn put_value(out: &mut Vec<u8>, value: AnyValue<'_>) -> Result<(), WireError> {
    put_value_at(out, value, 0)
}

fn put_resource_spans(
    out: &mut Vec<u8>,
    resource_spans: &ResourceSpans<'_>,
) -> Result<(), WireError> {
    let mut object = Object::begin(out);
    if resource_spans.has_resource()? {
        let mut list = Vec::new();
        resource_spans.put_attributes(&mut list)?;
        let mut resource = object.object("resource");
        put_attributes(&mut resource, Attributes::new(&list), 0)?;
        resource.count(
            "droppedAttributesCount",
            resource_spans.dropped_attributes_count()?,
        );
        let mut references = resource_spans.raw_entity_refs().peekable();
        if references.peek().is_some() {
            resource.list("entityRefs", references, |out, reference| {
                put_entity_ref(out, reference?)
            })?;
        }
        resource.end();
    }
    object.list(
        "scopeSpans",
        resource_spans.scope_spans(),
        |out, scope_spans| put_scope_spans(out, &scope_spans?),
    )?;
    object.text_unless_empty("schemaUrl", resource_spans.schema_url()?);
    object.end();
    Ok(())
}

fn put_entity_ref(out: &mut Vec<u8>, reference: &[u8]) -> Result<(), WireError> {
    let of = |number| {
        Fields::new(reference).filter(move |field| match field {
            Ok(field) => field.number == number,
            Err(_) => true,
        })
    };
    let put_text = |out: &mut Vec<u8>, text: Result<Field<'_>, WireError>| {
        put_string(out, text?.str()?);
        Ok(())
    };
    let last = |number| of(number).try_fold("", |_, field| field?.str());
    let mut object = Object::begin(out);
    object.text("schemaUrl", last(1)?);
    object.text("type", last(2)?);
    object.list("idKeys", of(3), put_text)?;
    object.list("descriptionKeys", of(4), put_text)?;
    object.end();
    Ok(())
}

fn put_scope_spans(out: &mut Vec<u8>, scope_spans: &ScopeSpans<'_>) -> Result<(), WireError> {
    let mut object = Object::begin(out);
    if scope_spans.has_scope()? {
        let mut list = Vec::new();
        scope_spans.put_attributes(&mut list)?;
        let mut scope = object.object("scope");
        scope.text_unless_empty("name", scope_spans.name()?);
        scope.text_unless_empty("version", scope_spans.version()?);
        put_attributes(&mut scope, Attributes::new(&list), 0)?;
        scope.count(
            "droppedAttributesCount",
            scope_spans.dropped_attributes_count()?,
        );
        scope.end();
    }
    object.list("spans", scope_spans.raw_spans(), |out, span| {
        put_span(out, &Span::parse(span?)?)
    })?;
    object.text_unless_empty("schemaUrl", scope_spans.schema_url()?);
    object.end();
    Ok(())
}

fn put_span(out: &mut Vec<u8>, span: &Span<'_>) -> Result<(), WireError> {
    let mut list = Vec::new();
    span.put_attributes(&mut list)?;
    let mut object = Object::begin(out);
    object.id("traceId", span.trace_id);
    object.id("spanId", span.span_id);
    object.text_unless_empty("traceState", span.trace_state);
    if !span.parent_span_id.is_empty() {
        object.id("parentSpanId", span.parent_span_id);
    }
    object.count("flags", span.flags);
    object.text("name", span.name);
    object.number("kind", span.kind);
    object.quoted("startTimeUnixNano", span.start_unix_nano);
    object.quoted("endTimeUnixNano", span.end_unix_nano);
    put_attributes(&mut object, Attributes::new(&list), 0)?;
    object.count("droppedAttributesCount", span.dropped_attributes_count);
    let mut events = span.events().peekable();
    if events.peek().is_some() {
        object.list("events", events, |out, event| put_event(out, &event?))?;
    }
    object.count("droppedEventsCount", span.dropped_events_count);
    let mut links = span.raw_links().peekable();
    if links.peek().is_some() {
        object.list("links", links, |out, link| {
            put_link(out, &Link::parse(link?)?)
        })?;
    }
    object.count("droppedLinksCount", span.dropped_links_count);
    if let Some(Status { message, code }) = span.status {
        let mut status = object.object("status");
        status.text_unless_empty("message", message);
        if code != 0 {
            status.number("code", code);
        }
        status.end();
    }
    object.end();
    Ok(())
}

fn put_event(out: &mut Vec<u8>, event: &Event<'_>) -> Result<(), WireError> {
    let mut list = Vec::new();
    event.put_attributes(&mut list)?;
    let mut object = Object::begin(out);
    object.quoted("timeUnixNano", event.time_unix_nano);
    object.text("name", event.name);
    put_attributes(&mut object, Attributes::new(&list), 0)?;
    object.count("droppedAttributesCount", event.dropped_attributes_count);
    object.end();
    Ok(())
}

fn put_link(out: &mut Vec<u8>, link: &Link<'_>) -> Result<(), WireError> {
    let mut list = Vec::new();
    link.put_attributes(&mut list)?;
    let mut object = Object::begin(out);
    object.id("traceId", link.trace_id);
    object.id("spanId", link.span_id);
    object.text_unless_empty("traceState", link.trace_state);
    put_attributes(&mut object, Attributes::new(&list), 0)?;
    object.count("droppedAttributesCount", link.dropped_attributes_count);
    object.count("flags", link.flags);
    object.end();
    Ok(())
}

/// `depth` counts the lists and maps around the value.
fn put_value_at(out: &mut Vec<u8>, value: AnyValue<'_>, depth: usize) -> Result<(), WireError> {
    if depth > MAX_VALUE_DEPTH {
        return Err(WireError::TooDeep {
            limit: MAX_VALUE_DEPTH,
        });
    }
    let mut object = Object::begin(out);
    match value {
        AnyValue::Empty => {}
        AnyValue::String(value) => object.text("stringValue", value),
        AnyValue::Bool(value) => object.number("boolValue", value),
        AnyValue::Int(value) => object.quoted("intValue", value),
        AnyValue::Double(value) => object.double("doubleValue", value),
        AnyValue::Array(values) => {
            let mut array = object.object("arrayValue");
            array.list("values", values.iter(), |out, value| {
                put_value_at(out, value?, depth + 1)
            })?;
            array.end();
        }
        AnyValue::Map(values) => {
            let mut map = object.object("kvlistValue");
            map.list("values", values.iter(), |out, entry| {
                let entry = entry?;
                put_key_value(out, entry.key, entry.value, depth + 1)
            })?;
            map.end();
        }
        AnyValue::Bytes(value) => object.text("bytesValue", &BASE64_STANDARD.encode(value)),
    }
    object.end();
    Ok(())
}

fn put_key_value(
    out: &mut Vec<u8>,
    key: &str,
    value: AnyValue<'_>,
    depth: usize,
) -> Result<(), WireError> {
    let mut object = Object::begin(out);
    object.text("key", key);
    put_value_at(object.value("value"), value, depth)?;
    object.end();
    Ok(())
}

fn put_attributes(
    object: &mut Object<'_>,
    attributes: Attributes<'_>,
    depth: usize,
) -> Result<(), WireError> {
    if attributes.is_empty() {
        return Ok(());
    }
    object.list("attributes", attributes.iter(), |out, attribute| {
        let attribute = attribute?;
        put_key_value(out, attribute.key, attribute.value, depth)
    })
}
