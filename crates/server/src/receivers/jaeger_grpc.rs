//! Jaeger's collector over gRPC: `jaeger.api_v2.CollectorService/PostSpans` and `SamplingManager/GetSamplingStrategy`.
//!
//! The reply to `PostSpans` has no room for a partial success: a call succeeds when anything was kept, and one of which nothing
//! could be kept is an invalid argument.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use codec::Encoding;
use http::{Response, Uri};
use model::TenantId;
use prost::Message;
use tonic::Status;
use tonic_health::server::HealthReporter;

use super::ReceiverLimits;
use super::unary::{self, RequestMessage, receive_message, refuse};
use crate::auth::{Guard, Scope};
use crate::grpc;
use crate::ingest::{Accepted, Admission, OtlpSignal, Protocol, RawPayload, Refusal};
use crate::sampling::{CurrentStrategies, ServiceStrategy, Strategy};

/// Both services and what they need, made from `proto/` (see its README).
const DESCRIPTORS: &[&[u8]] = &[include_bytes!("../../proto/jaeger_collector.bin")];

/// The services' names, as health and reflection know them.
pub(crate) const COLLECTOR_SERVICE: &str = "jaeger.api_v2.CollectorService";
pub(crate) const SAMPLING_SERVICE: &str = "jaeger.api_v2.SamplingManager";
const POST_SPANS_PATH: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const SAMPLING_PATH: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";
const HTTP_HINT: &str = "Jaeger Thrift over HTTP has a port of its own (14268 by default)";

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    strategies: CurrentStrategies,
}

/// The listener's routes.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    strategies: CurrentStrategies,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = Router::new()
        .route(POST_SPANS_PATH, post(post_spans))
        .route(SAMPLING_PATH, post(sampling_strategy))
        .fallback(unimplemented)
        .with_state(Receiver {
            admission,
            limits,
            guard,
            strategies,
        });
    grpc::listener(services, DESCRIPTORS, health)
}

async fn post_spans(State(receiver): State<Receiver>, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    let metrics = receiver.admission.metrics();
    let open = metrics.begin_request(OtlpSignal::Traces, Protocol::JaegerGrpc);
    let result = receiver.take_spans(request).await;
    open.end(&result);
    match result {
        Ok(accepted) if accepted.received > 0 && accepted.rejected.count() == accepted.received => {
            Status::invalid_argument(accepted.rejected.to_string()).into_http()
        }
        Ok(_) => unary::reply(&PostSpansResponse {}),
        Err(refusal) => refuse(&refusal),
    }
}

async fn sampling_strategy(State(receiver): State<Receiver>, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    match receiver.take_parameters(request).await {
        Ok(parameters) => {
            let strategy = receiver.strategies.of(&parameters.service_name);
            unary::reply(&SamplingStrategyResponse::from(strategy))
        }
        Err(refusal) => refuse(&refusal),
    }
}

impl Receiver {
    async fn take_spans(&self, request: Request) -> Result<Accepted, Refusal> {
        let RequestMessage {
            bytes,
            content_encoding,
            reservation,
        } = self.receive(request).await?;
        let payload = RawPayload {
            protocol: Protocol::JaegerGrpc,
            encoding: Encoding::JaegerProtobuf,
            content_encoding,
            tenant: TenantId::default_tenant(),
            body: bytes,
            reservation,
        };
        self.admission.admit(payload).await
    }

    async fn take_parameters(
        &self,
        request: Request,
    ) -> Result<SamplingStrategyParameters, Refusal> {
        let message = self.receive(request).await?;
        let malformed = |error: &dyn std::fmt::Display| {
            Refusal::Malformed(format!("not SamplingStrategyParameters: {error}"))
        };
        let max_bytes = self.limits.grpc_max_message_bytes;
        let bytes = codec::inflate(message.content_encoding, message.bytes, max_bytes)
            .map_err(|error| malformed(&error))?;
        SamplingStrategyParameters::decode(bytes).map_err(|error| malformed(&error))
    }

    async fn receive(&self, request: Request) -> Result<RequestMessage, Refusal> {
        self.guard.authorize(Scope::Ingest, request.headers())?;
        let (parts, body) = request.into_parts();
        receive_message(
            &parts.headers,
            body,
            self.limits.grpc(),
            self.admission.in_flight(),
        )
        .await
    }
}

#[derive(Clone, PartialEq, Message)]
struct PostSpansResponse {}

#[derive(Clone, PartialEq, Message)]
struct SamplingStrategyParameters {
    #[prost(string, tag = "1")]
    service_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct SamplingStrategyResponse {
    /// 0 is by probability, 1 by rate.
    #[prost(int32, tag = "1")]
    strategy_type: i32,
    #[prost(message, optional, tag = "2")]
    probabilistic_sampling: Option<ProbabilisticSampling>,
    #[prost(message, optional, tag = "3")]
    rate_limiting_sampling: Option<RateLimitingSampling>,
    #[prost(message, optional, tag = "4")]
    operation_sampling: Option<PerOperationSampling>,
}

#[derive(Clone, PartialEq, Message)]
struct ProbabilisticSampling {
    #[prost(double, tag = "1")]
    sampling_rate: f64,
}

#[derive(Clone, PartialEq, Message)]
struct RateLimitingSampling {
    #[prost(int32, tag = "1")]
    max_traces_per_second: i32,
}

#[derive(Clone, PartialEq, Message)]
struct PerOperationSampling {
    #[prost(double, tag = "1")]
    default_sampling_probability: f64,
    #[prost(message, repeated, tag = "3")]
    per_operation_strategies: Vec<OperationSampling>,
}

#[derive(Clone, PartialEq, Message)]
struct OperationSampling {
    #[prost(string, tag = "1")]
    operation: String,
    #[prost(message, optional, tag = "2")]
    probabilistic_sampling: Option<ProbabilisticSampling>,
}

impl From<ServiceStrategy> for SamplingStrategyResponse {
    fn from(of_service: ServiceStrategy) -> Self {
        match of_service.strategy {
            Strategy::Probabilistic(sampling_rate) => Self {
                strategy_type: 0,
                probabilistic_sampling: Some(ProbabilisticSampling { sampling_rate }),
                rate_limiting_sampling: None,
                operation_sampling: PerOperationSampling::of(sampling_rate, of_service),
            },
            Strategy::RateLimiting { traces_per_second } => Self {
                strategy_type: 1,
                probabilistic_sampling: None,
                rate_limiting_sampling: Some(RateLimitingSampling {
                    max_traces_per_second: traces_per_second,
                }),
                operation_sampling: None,
            },
        }
    }
}

impl PerOperationSampling {
    /// `None` where no operation is named.
    fn of(default_sampling_probability: f64, of_service: ServiceStrategy) -> Option<Self> {
        let per_operation_strategies: Vec<_> = of_service
            .operations
            .into_iter()
            .map(|(operation, sampling_rate)| OperationSampling {
                operation,
                probabilistic_sampling: Some(ProbabilisticSampling { sampling_rate }),
            })
            .collect();
        (!per_operation_strategies.is_empty()).then_some(Self {
            default_sampling_probability,
            per_operation_strategies,
        })
    }
}

async fn unimplemented(uri: Uri, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    Status::unimplemented(format!(
        "there is no {} here; spans are sent to {COLLECTOR_SERVICE}, sampling strategies are at {SAMPLING_SERVICE}",
        uri.path()
    ))
    .into_http()
}
