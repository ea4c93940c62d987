//! What every gRPC listener does, whatever it serves: health, reflection, deadlines, and an answer for who speaks no gRPC.

mod call;
mod deadline;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn;
use http::{HeaderMap, Response, StatusCode};
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use crate::receivers::media_type;

pub(crate) use call::{streaming, unary};

/// Adds health (`grpc.health.v1`) and reflection (v1 and v1alpha) to `services`. `descriptors` are the encoded
/// `FileDescriptorSet`s of these services and of all that they import.
pub(crate) fn listener(
    services: Router,
    descriptors: &'static [&'static [u8]],
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        descriptors.iter().fold(builder, |builder, set| {
            builder.register_encoded_file_descriptor_set(set)
        })
    };
    let health = HealthServer::new(HealthService::from_health_reporter(health.clone()));
    let router = Routes::from(services)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .into_axum_router();
    Ok(router.layer(from_fn(deadline::keep)))
}

/// Whether a request is a gRPC call.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let found = media_type(headers);
    found == "application/grpc" || found == "application/grpc+proto"
}

/// As gRPC wants it: a client that speaks no gRPC is answered in HTTP. `hint` says where it may belong.
pub(crate) fn not_grpc(hint: &str) -> Response<Body> {
    let message = format!("this port speaks gRPC (content type application/grpc); {hint}\n");
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}
