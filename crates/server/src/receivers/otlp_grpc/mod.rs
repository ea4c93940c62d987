//! OTLP over gRPC, with health (`grpc.health.v1`) and reflection (v1 and v1alpha).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use codec::Encoding;
use http::{Response, Uri};
use model::TenantId;
use tonic::Status;
use tonic_health::server::HealthReporter;

use super::ReceiverLimits;
use super::otlp_http::ExportResponse;
use super::unary::{self, RequestMessage, receive_message, refuse};
use crate::grpc;
use crate::ingest::{Accepted, Admission, Protocol, RawPayload, Refusal};

/// OTLP's trace service and what it needs, made from `proto/` (see its README).
const DESCRIPTORS: &[u8] = include_bytes!("../../../proto/descriptor.bin");

/// The service's name, as health and reflection know it.
pub(crate) const TRACE_SERVICE: &str = "opentelemetry.proto.collector.trace.v1.TraceService";
const HTTP_HINT: &str = "OTLP over HTTP has a port of its own (4318 by default)";
const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

#[derive(Clone)]
struct Receiver {
    admission: Arc<Admission>,
    limits: ReceiverLimits,
}

/// The listener's routes.
pub(crate) fn router(
    admission: Arc<Admission>,
    limits: ReceiverLimits,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = Router::new()
        .route(EXPORT_PATH, post(export))
        .fallback(unimplemented)
        .with_state(Receiver { admission, limits });
    grpc::listener(services, &[DESCRIPTORS], health)
}

async fn export(State(receiver): State<Receiver>, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    let result = receiver.take(request).await;
    receiver
        .admission
        .metrics()
        .count_request(Protocol::OtlpGrpc, &result);
    match result {
        Ok(accepted) => unary::reply(&ExportResponse::from(&accepted)),
        Err(refusal) => refuse(&refusal),
    }
}

impl Receiver {
    async fn take(&self, request: Request) -> Result<Accepted, Refusal> {
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
            encoding: Encoding::OtlpProtobuf,
            content_encoding,
            tenant: TenantId::default_tenant(),
            body: bytes,
            reservation,
        };
        self.admission.admit(payload).await
    }
}

async fn unimplemented(uri: Uri, request: Request) -> Response<Body> {
    if !grpc::is_grpc(request.headers()) {
        return grpc::not_grpc(HTTP_HINT);
    }
    let path = uri.path();
    let message = if path.starts_with("/opentelemetry.proto.collector.") {
        format!("{path} is not supported; this server takes traces, at {TRACE_SERVICE}")
    } else {
        format!("there is no {path} here; OTLP traces are sent to {TRACE_SERVICE}")
    };
    Status::unimplemented(message).into_http()
}
