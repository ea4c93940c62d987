//! OTLP over gRPC, with health (`grpc.health.v1`) and reflection (v1 and v1alpha).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use codec::OtlpEncoding;
use http::{Response, Uri};
use model::TenantId;
use tonic::Status;
use tonic_health::server::HealthReporter;

use super::ReceiverLimits;
use super::otlp_http::ExportResponse;
use super::unary::{self, RequestMessage, receive_message, refuse};
use crate::auth::{Guard, Scope};
use crate::grpc;
use crate::ingest::{Accepted, Admission, OtlpSignal, Protocol, RawPayload, Refusal};

/// OTLP's services and what they need, made from `proto/` (see its README).
const DESCRIPTORS: &[u8] = include_bytes!("../../../proto/descriptor.bin");

/// The services' names, as health and reflection know them.
pub(crate) const OTLP_SERVICES: [&str; 3] = [TRACE_SERVICE, LOGS_SERVICE, METRICS_SERVICE];
const TRACE_SERVICE: &str = "opentelemetry.proto.collector.trace.v1.TraceService";
const LOGS_SERVICE: &str = "opentelemetry.proto.collector.logs.v1.LogsService";
const METRICS_SERVICE: &str = "opentelemetry.proto.collector.metrics.v1.MetricsService";
const HTTP_HINT: &str = "OTLP over HTTP has a port of its own (4318 by default)";

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
}

/// The listener's routes.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    guard: Guard,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = OtlpSignal::ALL
        .into_iter()
        .fold(Router::new(), |services, signal| {
            let export = move |receiver, request| export(signal, receiver, request);
            services.route(&format!("/{}/Export", service(signal)), post(export))
        });
    let services = services.fallback(unimplemented).with_state(Receiver {
        admission,
        limits,
        guard,
    });
    grpc::listener(services, &[DESCRIPTORS], health)
}

fn service(signal: OtlpSignal) -> &'static str {
    match signal {
        OtlpSignal::Traces => TRACE_SERVICE,
        OtlpSignal::Logs => LOGS_SERVICE,
        OtlpSignal::Metrics => METRICS_SERVICE,
    }
}

async fn export(
    signal: OtlpSignal,
    State(receiver): State<Receiver>,
    request: Request,
) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    let metrics = receiver.admission.metrics();
    let open = metrics.begin_request(signal, Protocol::OtlpGrpc);
    let result = receiver.take(signal, request).await;
    open.end(&result);
    match result {
        Ok(accepted) => unary::reply(&ExportResponse::from(&accepted)),
        Err(refusal) => refuse(&refusal),
    }
}

impl Receiver {
    async fn take(&self, signal: OtlpSignal, request: Request) -> Result<Accepted, Refusal> {
        self.guard.authorize(Scope::Ingest, request.headers())?;
        let (parts, body) = request.into_parts();
        let RequestMessage {
            bytes,
            content_encoding,
            reservation,
        } = receive_message(
            &parts.headers,
            body,
            self.limits.grpc(),
            self.admission.in_flight(),
        )
        .await?;
        let payload = RawPayload {
            protocol: Protocol::OtlpGrpc,
            encoding: OtlpEncoding::Protobuf,
            content_encoding,
            tenant: TenantId::default_tenant(),
            body: bytes,
            reservation,
        };
        self.admission.admit_otlp(signal, payload).await
    }
}

async fn unimplemented(uri: Uri, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    let path = uri.path();
    let message = format!(
        "there is no {path} here; OTLP is sent to {}",
        OTLP_SERVICES.join(", ")
    );
    Status::unimplemented(message).into_http()
}
