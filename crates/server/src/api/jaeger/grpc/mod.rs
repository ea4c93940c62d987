//! `jaeger.api_v3.QueryService` and `jaeger.api_v2.QueryService` on one port.
//!
//! `proto/jaeger/` has the messages, for people and for reflection.

mod catalogue;
mod messages;
mod model;
mod outlet;
mod parts;
mod v2;
mod v3;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, Uri};
use prost_types::Timestamp;
use tonic::{Code, Status};
use tonic_health::server::HealthReporter;

use crate::api::Api;
use crate::api::failure::Failure;
use crate::auth::{Guard, Scope};
use crate::grpc;

/// The services, as health knows them.
pub(crate) const SERVICES: [&str; 3] = [
    "jaeger.api_v3.QueryService",
    "jaeger.api_v3.Capabilities",
    "jaeger.api_v2.QueryService",
];

/// Descriptors of the services and of all that they import (see `proto/README.md`).
const DESCRIPTORS: &[&[u8]] = &[include_bytes!("../../../../proto/jaeger.bin")];

/// The listener's routes.
pub(in crate::api) fn router(
    api: Api,
    guard: Guard,
    health: &HealthReporter,
) -> Result<Router, tonic_reflection::server::Error> {
    let services = Router::new()
        .merge(v3::routes())
        .merge(v2::routes())
        .with_state(api)
        .fallback(unimplemented)
        .layer(from_fn_with_state(guard, only_readers))
        .layer(from_fn(only_grpc));
    grpc::listener(services, DESCRIPTORS, health)
}

async fn only_grpc(request: Request, next: Next) -> Response {
    if grpc::is_grpc(request.headers()) {
        next.run(request).await
    } else {
        grpc::not_grpc("Jaeger's query API over HTTP is on the page's port (16686 by default)")
    }
}

/// Health and reflection are open to all, and do not come by here.
async fn only_readers(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.authorize(Scope::Read, request.headers()) {
        Ok(_) => next.run(request).await,
        Err(denied) => {
            let mut response = Status::from(Failure::from(denied)).into_http();
            let headers: &mut HeaderMap = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, denied.challenge());
            response
        }
    }
}

async fn unimplemented(uri: Uri) -> Response {
    let message = format!(
        "there is no {} here; traces are read with {}",
        uri.path(),
        SERVICES.join(", ")
    );
    Status::unimplemented(message).into_http()
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let code = match failure {
            Failure::Invalid(_) => Code::InvalidArgument,
            Failure::NotFound(_) => Code::NotFound,
            Failure::Unauthenticated(_) => Code::Unauthenticated,
            Failure::Forbidden(_) => Code::PermissionDenied,
            Failure::MethodNotAllowed => Code::Unimplemented,
            Failure::Overloaded => Code::ResourceExhausted,
            Failure::Unavailable(_) => Code::Unavailable,
            Failure::TimedOut => Code::DeadlineExceeded,
            Failure::Internal(_) => Code::Internal,
        };
        Self::new(code, failure.message())
    }
}

/// The year 1: what Go writes for no time at all.
const GO_NO_TIME_S: i64 = -62_135_596_800;
const NANO_PER_S: i128 = 1_000_000_000;

/// Nanoseconds since 1970. What is before is 1970: nothing is earlier.
fn unix_nano(instant: Option<&Timestamp>) -> Option<u64> {
    let instant = instant.filter(|instant| instant.seconds != GO_NO_TIME_S)?;
    let nano = i128::from(instant.seconds) * NANO_PER_S + i128::from(instant.nanos);
    Some(u64::try_from(nano.max(0)).unwrap_or(u64::MAX))
}

/// Nanoseconds; `None` when there are none, as a duration that is not asked for is written.
fn nano(name: &str, duration: Option<&prost_types::Duration>) -> Result<Option<u64>, Failure> {
    let Some(duration) = duration else {
        return Ok(None);
    };
    let nano = i128::from(duration.seconds) * NANO_PER_S + i128::from(duration.nanos);
    if nano < 0 {
        return Err(Failure::Invalid(format!("{name}: {nano} ns is negative")));
    }
    Ok(Some(u64::try_from(nano).unwrap_or(u64::MAX)).filter(|nano| *nano > 0))
}
