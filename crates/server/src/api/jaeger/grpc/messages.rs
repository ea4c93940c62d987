//! Messages of both versions. Where they differ in nothing but names they are one.

use std::collections::HashMap;

use prost::Message;
use prost_types::{Duration, Timestamp};

/// `api_v3.GetTraceRequest`; nothing more of it is needed to find a trace.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTraceByText {
    #[prost(string, tag = "1")]
    pub(super) trace_id: String,
}

/// `api_v2.GetTraceRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTraceByBytes {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
}

/// `FindTracesRequest` and `FindTraceSummariesRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) query: Option<TraceQueryParameters>,
}

/// `TraceQueryParameters`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    pub(super) service_name: String,
    #[prost(string, tag = "2")]
    pub(super) operation_name: String,
    /// `tags` in version 2.
    #[prost(map = "string, string", tag = "3")]
    pub(super) attributes: HashMap<String, String>,
    #[prost(message, optional, tag = "4")]
    pub(super) start_time_min: Option<Timestamp>,
    #[prost(message, optional, tag = "5")]
    pub(super) start_time_max: Option<Timestamp>,
    #[prost(message, optional, tag = "6")]
    pub(super) duration_min: Option<Duration>,
    #[prost(message, optional, tag = "7")]
    pub(super) duration_max: Option<Duration>,
    #[prost(int32, tag = "8")]
    pub(super) search_depth: i32,
    /// An expression, which is refused: of version 3.
    #[prost(bytes = "vec", optional, tag = "10")]
    pub(super) filter: Option<Vec<u8>>,
}

/// A request without fields.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

/// `GetServicesResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Services {
    #[prost(string, repeated, tag = "1")]
    pub(super) services: Vec<String>,
}

/// `GetOperationsRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GetOperationsRequest {
    #[prost(string, tag = "1")]
    pub(super) service: String,
    #[prost(string, tag = "2")]
    pub(super) span_kind: String,
}

/// `Operation`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Operation {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) span_kind: String,
}

/// `api_v3.GetOperationsResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Operations {
    #[prost(message, repeated, tag = "1")]
    pub(super) operations: Vec<Operation>,
}

/// `api_v2.GetOperationsResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperationsAndNames {
    #[prost(string, repeated, tag = "1")]
    pub(super) operation_names: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub(super) operations: Vec<Operation>,
}

/// `GetDependenciesRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GetDependenciesRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) start_time: Option<Timestamp>,
    #[prost(message, optional, tag = "2")]
    pub(super) end_time: Option<Timestamp>,
}

/// `api_v3.DependenciesResponse` and `api_v2.GetDependenciesResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Dependencies {
    #[prost(message, repeated, tag = "1")]
    pub(super) dependencies: Vec<Dependency>,
}

/// `api_v3.Dependency` and `api_v2.DependencyLink`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Dependency {
    #[prost(string, tag = "1")]
    pub(super) parent: String,
    #[prost(string, tag = "2")]
    pub(super) child: String,
    #[prost(uint64, tag = "3")]
    pub(super) call_count: u64,
}

/// `api_v3.FindTraceSummariesResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TraceSummaries {
    #[prost(message, repeated, tag = "1")]
    pub(super) summaries: Vec<TraceSummary>,
}

/// `api_v3.TraceSummary`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TraceSummary {
    #[prost(string, tag = "1")]
    pub(super) trace_id: String,
    #[prost(string, tag = "2")]
    pub(super) root_service_name: String,
    #[prost(string, tag = "3")]
    pub(super) root_operation_name: String,
    #[prost(fixed64, tag = "4")]
    pub(super) min_start_time_unix_nano: u64,
    #[prost(fixed64, tag = "5")]
    pub(super) max_end_time_unix_nano: u64,
    #[prost(int32, tag = "6")]
    pub(super) span_count: i32,
    #[prost(int32, tag = "7")]
    pub(super) error_span_count: i32,
    #[prost(int32, tag = "8")]
    pub(super) orphan_span_count: i32,
    #[prost(message, repeated, tag = "9")]
    pub(super) services: Vec<ServiceSummary>,
}

/// `api_v3.ServiceSummary`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ServiceSummary {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) span_count: i32,
    #[prost(int32, tag = "3")]
    pub(super) error_span_count: i32,
}

/// `api_v3.GetCapabilitiesResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Capabilities {
    #[prost(message, optional, tag = "1")]
    pub(super) search: Option<SearchCapabilities>,
}

/// `api_v3.SearchCapabilities`, as much of it as is true here.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SearchCapabilities {
    #[prost(bool, tag = "1")]
    pub(super) without_service_name: bool,
    #[prost(bool, tag = "2")]
    pub(super) same_span_conjunction: bool,
}
