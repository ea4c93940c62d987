//! OTLP requests, written by `opentelemetry-proto` and `prost`: none of it is ours.

use std::ops::RangeInclusive;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use serde_json::json;

/// 2026-01-01.
pub(crate) const START_UNIX_NANO: u64 = 1_767_225_600_000_000_000;

pub(crate) fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// A good span; ids count from 1.
pub(crate) fn span(trace: u128, span: u64) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        name: format!("operation {span}"),
        start_time_unix_nano: START_UNIX_NANO + span,
        end_time_unix_nano: START_UNIX_NANO + span + 1_000_000,
        ..Span::default()
    }
}

/// A request of one service with these spans.
pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![attribute("service.name", "shop")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// A trace with `spans` good spans.
pub(crate) fn trace(trace: u128, spans: u64) -> ExportTraceServiceRequest {
    request((1..=spans).map(|id| span(trace, id)).collect())
}

/// The same trace as OTLP/JSON.
pub(crate) fn trace_json(trace: u128, spans: u64) -> Vec<u8> {
    json_of(trace, 1..=spans)
}

/// The spans of a trace that have these ids, as OTLP/JSON.
pub(crate) fn json_of(trace: u128, ids: RangeInclusive<u64>) -> Vec<u8> {
    let spans: Vec<_> = ids
        .map(|id| {
            json!({
                "traceId": format!("{trace:032x}"),
                "spanId": format!("{id:016x}"),
                "name": format!("operation {id}"),
                "startTimeUnixNano": (START_UNIX_NANO + id).to_string(),
                "endTimeUnixNano": (START_UNIX_NANO + id + 1_000_000).to_string(),
            })
        })
        .collect();
    let resource = json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": "shop" } }
    ]});
    json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] })
        .to_string()
        .into_bytes()
}

/// A request that is larger than `bytes`, in spans of about 1 KiB.
pub(crate) fn larger_than(bytes: usize) -> ExportTraceServiceRequest {
    let spans = (1..=(bytes / 1024) as u64 + 1).map(|id| Span {
        attributes: vec![attribute("filler", &"x".repeat(1024))],
        ..span(1, id)
    });
    request(spans.collect())
}

/// Rejected spans and message of a reply.
pub(crate) fn partial_success(reply: &[u8]) -> (i64, String) {
    let response = ExportTraceServiceResponse::decode(reply).unwrap();
    let partial = response.partial_success.unwrap_or_default();
    (partial.rejected_spans, partial.error_message)
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<prost_types::Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<prost_types::Duration>,
}
