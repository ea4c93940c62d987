//! OTLP over gRPC, with health (`grpc.health.v1`) and reflection (v1 and v1alpha).

mod unary;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::post;
use codec::Encoding;
use http::{HeaderValue, Response, StatusCode, Uri};
use model::TenantId;
use tonic::Status;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use self::unary::{ACCEPTED_ENCODINGS, RequestMessage, receive_message};
use super::ReceiverLimits;
use super::headers::media_type;
use super::otlp_http::ExportResponse;
use super::rpc_status::RpcStatus;
use crate::ingest::{Accepted, Admission, Protocol, RawPayload, Refusal};

/// OTLP's trace service and what it needs, made from `proto/` (see its README).
const DESCRIPTORS: &[u8] = include_bytes!("../../../proto/descriptor.bin");

/// The service's name, as health and reflection know it.
pub(crate) const TRACE_SERVICE: &str = "opentelemetry.proto.collector.trace.v1.TraceService";
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
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
    let routes = Router::new()
        .route(EXPORT_PATH, post(export))
        .fallback(unimplemented)
        .with_state(Receiver { admission, limits });
    Ok(Routes::from(routes)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .into_axum_router())
}

async fn export(State(receiver): State<Receiver>, request: Request) -> Response<Body> {
    if !is_grpc(&request) {
        return not_grpc();
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

fn refuse(refusal: &Refusal) -> Response<Body> {
    let mut response = RpcStatus::from(refusal).to_grpc().into_http::<Body>();
    if matches!(refusal, Refusal::UnsupportedEncoding { .. }) {
        response.headers_mut().insert(
            "grpc-accept-encoding",
            HeaderValue::from_static(ACCEPTED_ENCODINGS),
        );
    }
    response
}

async fn unimplemented(uri: Uri, request: Request) -> Response<Body> {
    if !is_grpc(&request) {
        return not_grpc();
    }
    let path = uri.path();
    let message = if path.starts_with("/opentelemetry.proto.collector.") {
        format!("{path} is not supported; this server takes traces, at {TRACE_SERVICE}")
    } else {
        format!("there is no {path} here; OTLP traces are sent to {TRACE_SERVICE}")
    };
    Status::unimplemented(message).into_http()
}

fn is_grpc(request: &Request) -> bool {
    let found = media_type(request.headers());
    found == "application/grpc" || found == "application/grpc+proto"
}

/// As gRPC wants it: a client that speaks no gRPC is answered in HTTP.
fn not_grpc() -> Response<Body> {
    let message = "this port speaks gRPC (content type application/grpc); OTLP over HTTP has a port of its own (4318 by default)\n";
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}
