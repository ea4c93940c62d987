//! The same spans as `jaeger.api_v2.PostSpansRequest`, as OpenTelemetry's translator for Jaeger has them.

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// `ValueType`.
const STRING: i32 = 0;
const BOOL: i32 = 1;
const INT64: i32 = 2;

/// A request of one resource.
pub(super) fn encode(request: &ExportTraceServiceRequest) -> Result<Vec<u8>> {
    let resource_spans = request.resource_spans.first().context("no spans")?;
    let resource = resource_spans.resource.as_ref().context("no resource")?;
    let mut process = Process::default();
    for attribute in &resource.attributes {
        let value = attribute.value.as_ref().and_then(|v| v.value.as_ref());
        match value {
            Some(Value::StringValue(name)) if attribute.key == "service.name" => {
                process.service_name.clone_from(name);
            }
            _ => process.tags.push(tag(&attribute.key, value)),
        }
    }
    let spans = resource_spans.scope_spans.iter().flat_map(|s| &s.spans);
    let batch = Batch {
        spans: spans.map(model_span).collect(),
        process: Some(process),
    };
    Ok(PostSpansRequest { batch: Some(batch) }.encode_to_vec())
}

fn model_span(span: &Span) -> ModelSpan {
    let mut tags: Vec<ModelKeyValue> = span
        .attributes
        .iter()
        .map(|kv| tag(&kv.key, kv.value.as_ref().and_then(|v| v.value.as_ref())))
        .collect();
    let kind = [
        "internal", "internal", "server", "client", "producer", "consumer",
    ];
    let kind = Value::StringValue(kind[span.kind as usize % kind.len()].to_owned());
    tags.push(tag("span.kind", Some(&kind)));
    if span.status.as_ref().is_some_and(|status| status.code == 2) {
        tags.push(tag("error", Some(&Value::BoolValue(true))));
    }
    let parent = (!span.parent_span_id.is_empty()).then(|| SpanRef {
        trace_id: span.trace_id.clone(),
        span_id: span.parent_span_id.clone(),
    });
    let name = |name: &str| tag("event", Some(&Value::StringValue(name.to_owned())));
    let log = |event: &opentelemetry_proto::tonic::trace::v1::span::Event| Log {
        timestamp: Some(seconds_and_nanos(event.time_unix_nano)),
        fields: std::iter::once(name(&event.name))
            .chain(
                event
                    .attributes
                    .iter()
                    .map(|kv| tag(&kv.key, kv.value.as_ref().and_then(|v| v.value.as_ref()))),
            )
            .collect(),
    };
    ModelSpan {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        operation_name: span.name.clone(),
        references: parent.into_iter().collect(),
        flags: 1,
        start_time: Some(seconds_and_nanos(span.start_time_unix_nano)),
        duration: Some(seconds_and_nanos(
            span.end_time_unix_nano - span.start_time_unix_nano,
        )),
        tags,
        logs: span.events.iter().map(log).collect(),
    }
}

fn tag(key: &str, value: Option<&Value>) -> ModelKeyValue {
    let mut tag = ModelKeyValue {
        key: key.to_owned(),
        ..ModelKeyValue::default()
    };
    match value {
        Some(Value::IntValue(value)) => {
            tag.v_type = INT64;
            tag.v_int64 = *value;
        }
        Some(Value::BoolValue(value)) => {
            tag.v_type = BOOL;
            tag.v_bool = *value;
        }
        Some(Value::StringValue(value)) => {
            tag.v_type = STRING;
            tag.v_str.clone_from(value);
        }
        _ => {}
    }
    tag
}

fn seconds_and_nanos(nanos: u64) -> SecondsAndNanos {
    SecondsAndNanos {
        seconds: (nanos / 1_000_000_000) as i64,
        nanos: (nanos % 1_000_000_000) as i32,
    }
}

#[derive(Clone, PartialEq, Message)]
struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<ModelSpan>,
    #[prost(message, optional, tag = "2")]
    process: Option<Process>,
}

#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(message, repeated, tag = "2")]
    tags: Vec<ModelKeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    operation_name: String,
    #[prost(message, repeated, tag = "4")]
    references: Vec<SpanRef>,
    #[prost(uint32, tag = "5")]
    flags: u32,
    #[prost(message, optional, tag = "6")]
    start_time: Option<SecondsAndNanos>,
    #[prost(message, optional, tag = "7")]
    duration: Option<SecondsAndNanos>,
    #[prost(message, repeated, tag = "8")]
    tags: Vec<ModelKeyValue>,
    #[prost(message, repeated, tag = "9")]
    logs: Vec<Log>,
}

#[derive(Clone, PartialEq, Message)]
struct SpanRef {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<SecondsAndNanos>,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<ModelKeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelKeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(int32, tag = "2")]
    v_type: i32,
    #[prost(string, tag = "3")]
    v_str: String,
    #[prost(bool, tag = "4")]
    v_bool: bool,
    #[prost(int64, tag = "5")]
    v_int64: i64,
}

/// `google.protobuf.Timestamp`, and `Duration`, which looks the same.
#[derive(Clone, PartialEq, Message)]
struct SecondsAndNanos {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
