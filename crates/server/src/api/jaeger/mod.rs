//! Jaeger's query APIs: HTTP v3 and gRPC in modules of their own, and here its HTTP API v1, as Jaeger's own page and Grafana's Jaeger data source call it.
//!
//! Trace ids are written with 32 digits and span ids with 16, always. Durations and instants are whole microseconds, rounded down.
//! A search needs no service here, which Jaeger's does.

mod catalogue;
mod dependencies;
mod found;
mod grpc;
mod question;
mod search;
mod tags;
mod trace;
mod traces;
mod v3;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

pub(crate) use grpc::SERVICES as GRPC_SERVICES;
pub(super) use grpc::router as grpc_router;

use super::failure::Failure;
use super::{Api, Json};

pub(super) use found::FoundTraces;
pub(super) use question::tag_condition;
pub(super) use traces::stored_trace;
pub(super) use v3::failed as failed_v3;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/services", get(catalogue::services))
        .route(
            "/api/services/{service}/operations",
            get(catalogue::operation_names),
        )
        .route("/api/operations", get(catalogue::operations))
        .route("/api/traces", get(traces::search))
        .route("/api/traces/{trace_id}", get(traces::trace))
        .route("/api/dependencies", get(dependencies::dependencies))
        .method_not_allowed_fallback(async || Error(Failure::MethodNotAllowed))
        .merge(v3::routes())
}

/// What every answer is wrapped in.
#[derive(Serialize)]
struct Envelope<T> {
    data: Option<T>,
    total: usize,
    limit: usize,
    offset: usize,
    errors: Option<Vec<ErrorEntry>>,
}

#[derive(Serialize)]
struct ErrorEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    msg: String,
    #[serde(rename = "traceID", skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl<T> Envelope<T> {
    fn of(data: T) -> Self {
        Self {
            data: Some(data),
            total: 0,
            limit: 0,
            offset: 0,
            errors: None,
        }
    }
}

impl<T> Envelope<Vec<T>> {
    fn of_all(data: Vec<T>) -> Self {
        Self {
            total: data.len(),
            ..Self::of(data)
        }
    }
}

/// A failure in Jaeger's form.
struct Error(Failure);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Self(failure) = self;
        let entry = ErrorEntry {
            code: Some(failure.status().as_u16()),
            msg: failure.message().to_owned(),
            trace_id: None,
        };
        let envelope: Envelope<()> = Envelope {
            data: None,
            total: 0,
            limit: 0,
            offset: 0,
            errors: Some(vec![entry]),
        };
        match Json::write(&envelope) {
            Ok(body) => failure.with_body(body),
            Err(unwritable) => unwritable.status().into_response(),
        }
    }
}

/// A failure in this API's form, for who did not come as far as a handler.
pub(super) fn failed(failure: Failure) -> Response {
    Error(failure).into_response()
}

type Answer = Result<Json, Error>;
