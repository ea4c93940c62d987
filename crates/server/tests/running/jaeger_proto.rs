//! Jaeger's protobuf messages as `prost` writes and reads them: none of it is ours.

use std::ops::RangeInclusive;

use prost::Message;
use tonic::Status;
use tonic::codec::CompressionEncoding;

use super::grpc::GrpcClient;
use super::jaeger_model::{Process, Span, duration, timestamp};
use super::otlp::START_UNIX_NANO;

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PostSpansResponse {}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(crate) spans: Vec<Span>,
    #[prost(message, optional, tag = "2")]
    pub(crate) process: Option<Process>,
}

/// A batch of `service` with a trace of `spans` spans.
pub(crate) fn request(service: &str, trace: u128, spans: u64) -> PostSpansRequest {
    request_of(service, trace, 1..=spans)
}

/// A batch with the spans of a trace that have these ids.
pub(crate) fn request_of(service: &str, trace: u128, ids: RangeInclusive<u64>) -> PostSpansRequest {
    let spans = ids.map(|id| Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        operation_name: format!("operation {id}"),
        start_time: Some(timestamp(START_UNIX_NANO + id)),
        duration: Some(duration(1_000_000)),
        ..Span::default()
    });
    PostSpansRequest {
        batch: Some(Batch {
            spans: spans.collect(),
            process: Some(Process {
                service_name: service.to_owned(),
                tags: Vec::new(),
            }),
        }),
    }
}

/// `CollectorService/PostSpans`.
pub(crate) fn post_spans(
    client: &GrpcClient,
    request: PostSpansRequest,
    compression: Option<CompressionEncoding>,
) -> Result<PostSpansResponse, Status> {
    client.call(
        "/jaeger.api_v2.CollectorService/PostSpans",
        request,
        compression,
    )
}

#[derive(Clone, PartialEq, Message)]
struct SamplingStrategyParameters {
    #[prost(string, tag = "1")]
    service_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SamplingStrategyResponse {
    #[prost(int32, tag = "1")]
    pub(crate) strategy_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) probabilistic_sampling: Option<ProbabilisticSampling>,
    #[prost(message, optional, tag = "3")]
    pub(crate) rate_limiting_sampling: Option<RateLimitingSampling>,
    #[prost(message, optional, tag = "4")]
    pub(crate) operation_sampling: Option<PerOperationSampling>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ProbabilisticSampling {
    #[prost(double, tag = "1")]
    pub(crate) sampling_rate: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RateLimitingSampling {
    #[prost(int32, tag = "1")]
    pub(crate) max_traces_per_second: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PerOperationSampling {
    #[prost(double, tag = "1")]
    pub(crate) default_sampling_probability: f64,
    #[prost(message, repeated, tag = "3")]
    pub(crate) per_operation_strategies: Vec<OperationSampling>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OperationSampling {
    #[prost(string, tag = "1")]
    pub(crate) operation: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) probabilistic_sampling: Option<ProbabilisticSampling>,
}

/// `SamplingManager/GetSamplingStrategy`.
pub(crate) fn sampling_strategy(
    client: &GrpcClient,
    service: &str,
) -> Result<SamplingStrategyResponse, Status> {
    let parameters = SamplingStrategyParameters {
        service_name: service.to_owned(),
    };
    client.call(
        "/jaeger.api_v2.SamplingManager/GetSamplingStrategy",
        parameters,
        None,
    )
}
