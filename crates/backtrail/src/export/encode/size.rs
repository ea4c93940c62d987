//! How large a span is, before it is encoded.

use std::mem::size_of;

use opentelemetry::trace::{Event, Link, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// What OTLP needs at most for an integer inside of an array: two tags, a length, and the number.
const MAX_ENCODED_INT: usize = 13;
/// As above, for a double.
const ENCODED_DOUBLE: usize = 11;
/// As above, for a boolean.
const ENCODED_BOOL: usize = 4;
/// Two strings and their place in the list.
const TRACE_STATE_MEMBER: usize = 2 * size_of::<String>();

/// About how many bytes a span takes in memory, and no fewer than it takes encoded as OTLP (without its resource and scope): what bounds
/// a queue. Texts count as if each were owned, for whether they are can't be seen.
pub(crate) fn estimated_len(span: &SpanData) -> usize {
    let status = match &span.status {
        Status::Error { description } => description.len(),
        _ => 0,
    };
    size_of::<SpanData>()
        + span.name.len()
        + status
        + trace_state_len(span.span_context.trace_state())
        + attributes_len(&span.attributes)
        + span.events.iter().map(event_len).sum::<usize>()
        + span.links.iter().map(link_len).sum::<usize>()
}

fn event_len(event: &Event) -> usize {
    size_of::<Event>() + event.name.len() + attributes_len(&event.attributes)
}

fn link_len(link: &Link) -> usize {
    let trace_state = trace_state_len(link.span_context.trace_state());
    size_of::<Link>() + trace_state + attributes_len(&link.attributes)
}

fn trace_state_len(trace_state: &opentelemetry::trace::TraceState) -> usize {
    trace_state
        .into_iter()
        .map(|(key, value)| TRACE_STATE_MEMBER + key.len() + value.len())
        .sum()
}

fn attributes_len(attributes: &Vec<KeyValue>) -> usize {
    let values: usize = attributes
        .iter()
        .map(|attribute| attribute.key.as_str().len() + value_len(&attribute.value))
        .sum();
    attributes.capacity() * size_of::<KeyValue>() + values
}

fn value_len(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(array) => array_len(array),
        _ => 0,
    }
}

fn array_len(array: &Array) -> usize {
    match array {
        Array::Bool(values) => values.len() * ENCODED_BOOL,
        Array::I64(values) => values.len() * MAX_ENCODED_INT,
        Array::F64(values) => values.len() * ENCODED_DOUBLE,
        Array::String(values) => values
            .iter()
            .map(|text| size_of::<StringValue>() + text.as_str().len())
            .sum(),
        _ => 0,
    }
}
