//! Messages of Jaeger's query services, written down from jaeger-idl for tests alone.

use std::collections::HashMap;

use prost::Message;
use prost_types::{Duration, Timestamp};

use super::jaeger_model::Span;

/// Fields 1 to 9 are the same in both versions.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    pub(crate) service_name: String,
    #[prost(string, tag = "2")]
    pub(crate) operation_name: String,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) attributes: HashMap<String, String>,
    #[prost(message, optional, tag = "4")]
    pub(crate) start_time_min: Option<Timestamp>,
    #[prost(message, optional, tag = "5")]
    pub(crate) start_time_max: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    pub(crate) duration_min: Option<Duration>,
    #[prost(message, optional, tag = "7")]
    pub(crate) duration_max: Option<Duration>,
    #[prost(int32, tag = "8")]
    pub(crate) search_depth: i32,
    #[prost(bool, tag = "9")]
    pub(crate) raw_traces: bool,
    /// An expression; of version 3.
    #[prost(message, optional, tag = "10")]
    pub(crate) filter: Option<Empty>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) query: Option<TraceQueryParameters>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetTraceV3 {
    #[prost(string, tag = "1")]
    pub(crate) trace_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) start_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetTraceV2 {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) trace_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Services {
    #[prost(string, repeated, tag = "1")]
    pub(crate) services: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetOperations {
    #[prost(string, tag = "1")]
    pub(crate) service: String,
    #[prost(string, tag = "2")]
    pub(crate) span_kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Operation {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) span_kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperationsV3 {
    #[prost(message, repeated, tag = "1")]
    pub(crate) operations: Vec<Operation>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperationsV2 {
    #[prost(string, repeated, tag = "1")]
    pub(crate) operation_names: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) operations: Vec<Operation>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct GetDependencies {
    #[prost(message, optional, tag = "1")]
    pub(crate) start_time: Option<Timestamp>,
    #[prost(message, optional, tag = "2")]
    pub(crate) end_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dependencies {
    #[prost(message, repeated, tag = "1")]
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Dependency {
    #[prost(string, tag = "1")]
    pub(crate) parent: String,
    #[prost(string, tag = "2")]
    pub(crate) child: String,
    #[prost(uint64, tag = "3")]
    pub(crate) call_count: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summaries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) summaries: Vec<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Summary {
    #[prost(string, tag = "1")]
    pub(crate) trace_id: String,
    #[prost(string, tag = "2")]
    pub(crate) root_service_name: String,
    #[prost(string, tag = "3")]
    pub(crate) root_operation_name: String,
    #[prost(fixed64, tag = "4")]
    pub(crate) min_start_time_unix_nano: u64,
    #[prost(fixed64, tag = "5")]
    pub(crate) max_end_time_unix_nano: u64,
    #[prost(int32, tag = "6")]
    pub(crate) span_count: i32,
    #[prost(int32, tag = "7")]
    pub(crate) error_span_count: i32,
    #[prost(int32, tag = "8")]
    pub(crate) orphan_span_count: i32,
    #[prost(message, repeated, tag = "9")]
    pub(crate) services: Vec<ServiceSummary>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServiceSummary {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int32, tag = "2")]
    pub(crate) span_count: i32,
    #[prost(int32, tag = "3")]
    pub(crate) error_span_count: i32,
}

/// `api_v2.SpansResponseChunk`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Spans {
    #[prost(message, repeated, tag = "1")]
    pub(crate) spans: Vec<Span>,
}
