//! Jaeger's HTTP API v3, as Jaeger's page of today calls it: OTLP in answers, and short forms of traces for lists.
//!
//! Parameters have their names in camel case (`query.serviceName`) and the older ones in snake case (`query.service_name`).
//! A service and a time range may be missing here, which Jaeger's own server wants. Traces are always as they were stored, so
//! `rawTraces` changes nothing.

mod catalogue;
mod search;
mod summaries;
mod traces;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::Uri;
use serde::Serialize;

use crate::api::failure::Failure;
use crate::api::{Api, Json};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v3/services", get(catalogue::services))
        .route("/api/v3/operations", get(catalogue::operations))
        .route("/api/v3/dependencies", get(catalogue::dependencies))
        .route("/api/v3/capabilities", get(catalogue::capabilities))
        .route("/api/v3/traces", get(traces::search))
        .route("/api/v3/traces/{trace_id}", get(traces::trace))
        .route("/api/v3/trace-summaries", get(summaries::search))
        .method_not_allowed_fallback(async || Error(Failure::MethodNotAllowed))
        .route("/api/v3/{*rest}", any(no_such_address))
}

/// A failure in this API's form.
struct Error(Failure);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Content<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Content<'a> {
            http_code: u16,
            message: &'a str,
        }
        let Self(failure) = self;
        let content = Content {
            http_code: failure.status().as_u16(),
            message: failure.message(),
        };
        match Json::write(&Body { error: content }) {
            Ok(body) => failure.with_body(body),
            Err(unwritable) => unwritable.status().into_response(),
        }
    }
}

/// A failure in this API's form, for who did not come as far as a handler.
pub(in crate::api) fn failed(failure: Failure) -> Response {
    Error(failure).into_response()
}

type Answer = Result<Json, Error>;

async fn no_such_address(uri: Uri) -> Error {
    Error(Failure::NotFound(format!(
        "nothing is served at {}",
        uri.path()
    )))
}
