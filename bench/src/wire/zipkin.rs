//! The same spans as Zipkin's, as OpenTelemetry's exporter for Zipkin translates them.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde::Serialize;

/// Zipkin v2 JSON: a list of spans.
pub(super) fn encode_json(request: &ExportTraceServiceRequest) -> Result<Vec<u8>> {
    let spans: Vec<JsonSpan> = spans(request)?
        .map(|(service, span)| JsonSpan {
            trace_id: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent_id: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
            name: &span.name,
            kind: kind(span.kind).0,
            timestamp: span.start_time_unix_nano / 1000,
            duration: micros(span),
            local_endpoint: JsonEndpoint {
                service_name: service,
            },
            tags: tags(span),
            annotations: span
                .events
                .iter()
                .map(|event| JsonAnnotation {
                    timestamp: event.time_unix_nano / 1000,
                    value: &event.name,
                })
                .collect(),
        })
        .collect();
    Ok(serde_json::to_vec(&spans)?)
}

/// `zipkin.proto3.ListOfSpans`.
pub(super) fn encode_protobuf(request: &ExportTraceServiceRequest) -> Result<Vec<u8>> {
    let spans = spans(request)?
        .map(|(service, span)| ProtoSpan {
            trace_id: span.trace_id.clone(),
            parent_id: span.parent_span_id.clone(),
            id: span.span_id.clone(),
            kind: kind(span.kind).1,
            name: span.name.clone(),
            timestamp: span.start_time_unix_nano / 1000,
            duration: micros(span),
            local_endpoint: Some(ProtoEndpoint {
                service_name: service.to_owned(),
            }),
            annotations: span
                .events
                .iter()
                .map(|event| ProtoAnnotation {
                    timestamp: event.time_unix_nano / 1000,
                    value: event.name.clone(),
                })
                .collect(),
            tags: tags(span)
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        })
        .collect();
    Ok(ListOfSpans { spans }.encode_to_vec())
}

/// The spans of a request of one resource, with the name of their service.
fn spans(request: &ExportTraceServiceRequest) -> Result<impl Iterator<Item = (&str, &Span)>> {
    let resource_spans = request.resource_spans.first().context("no spans")?;
    let resource = resource_spans.resource.as_ref().context("no resource")?;
    let service = resource
        .attributes
        .iter()
        .find(|attribute| attribute.key == "service.name")
        .and_then(text)
        .context("no service.name")?;
    let spans = resource_spans
        .scope_spans
        .iter()
        .flat_map(|scope| &scope.spans);
    Ok(spans.map(move |span| (service, span)))
}

fn tags(span: &Span) -> HashMap<&str, String> {
    let mut tags: HashMap<&str, String> = span
        .attributes
        .iter()
        .map(|attribute| (attribute.key.as_str(), as_text(attribute)))
        .collect();
    if span.status.as_ref().is_some_and(|status| status.code == 2) {
        tags.insert("error", "true".to_owned());
    }
    tags
}

fn text(attribute: &KeyValue) -> Option<&str> {
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(value) => Some(value),
        _ => None,
    }
}

fn as_text(attribute: &KeyValue) -> String {
    match attribute
        .value
        .as_ref()
        .and_then(|value| value.value.as_ref())
    {
        Some(Value::StringValue(value)) => value.clone(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        _ => String::new(),
    }
}

fn micros(span: &Span) -> u64 {
    ((span.end_time_unix_nano - span.start_time_unix_nano) / 1000).max(1)
}

/// In JSON, and as number of `zipkin.proto3.Span.Kind`.
fn kind(kind: i32) -> (Option<&'static str>, i32) {
    match kind {
        2 => (Some("SERVER"), 2),
        3 => (Some("CLIENT"), 1),
        4 => (Some("PRODUCER"), 3),
        5 => (Some("CONSUMER"), 4),
        _ => (None, 0),
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        text
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSpan<'a> {
    trace_id: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    timestamp: u64,
    duration: u64,
    local_endpoint: JsonEndpoint<'a>,
    tags: HashMap<&'a str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<JsonAnnotation<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonEndpoint<'a> {
    service_name: &'a str,
}

#[derive(Serialize)]
struct JsonAnnotation<'a> {
    timestamp: u64,
    value: &'a str,
}

#[derive(Clone, PartialEq, Message)]
struct ListOfSpans {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<ProtoSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    parent_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    id: Vec<u8>,
    #[prost(int32, tag = "4")]
    kind: i32,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(fixed64, tag = "6")]
    timestamp: u64,
    #[prost(uint64, tag = "7")]
    duration: u64,
    #[prost(message, optional, tag = "8")]
    local_endpoint: Option<ProtoEndpoint>,
    #[prost(message, repeated, tag = "10")]
    annotations: Vec<ProtoAnnotation>,
    #[prost(map = "string, string", tag = "11")]
    tags: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoEndpoint {
    #[prost(string, tag = "1")]
    service_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ProtoAnnotation {
    #[prost(fixed64, tag = "1")]
    timestamp: u64,
    #[prost(string, tag = "2")]
    value: String,
}
