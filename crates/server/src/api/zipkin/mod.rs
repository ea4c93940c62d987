//! Zipkin's read API, as Zipkin's own page and clients of it call it.
//!
//! Every question is one that the other APIs ask too, so that the same query finds the same traces in all of them:
//!
//! - All conditions of a search hold on one span, and the range of time is that of this span's start.
//! - Names are kept as they were sent, where Zipkin makes them lower-case. A name that nothing bears as it is written is
//!   looked for without regard to case: what a client of Zipkin asks for in lower case is found.
//! - A condition of an `annotationQuery` holds for an annotation of this value, or a tag of this key and value: a tag being an attribute of the span, its
//!   resource, its scope or its events, or what Zipkin makes a tag of.
//! - A trace is found by its whole id, whatever zeros stand before it.

mod catalogue;
mod dependencies;
mod names;
mod search;
mod traces;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::failure::Failure;
use super::{Api, Json};

const NANO_PER_MS: u64 = 1_000_000;
const NANO_PER_US: u64 = 1000;
/// As in Zipkin: a day.
const DEFAULT_LOOKBACK_NANO: u64 = 24 * 3_600 * 1_000_000_000;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/health", get(health))
        .route("/api/v2/services", get(catalogue::services))
        .route("/api/v2/spans", get(catalogue::span_names))
        .route("/api/v2/remoteServices", get(catalogue::remote_services))
        .route(
            "/api/v2/autocompleteKeys",
            get(catalogue::autocomplete_keys),
        )
        .route(
            "/api/v2/autocompleteValues",
            get(catalogue::autocomplete_values),
        )
        .route("/api/v2/traces", get(traces::search))
        .route("/api/v2/trace/{trace_id}", get(traces::trace))
        .route("/api/v2/traceMany", get(traces::trace_many))
        .route("/api/v2/dependencies", get(dependencies::dependencies))
}

/// The process runs, in the form of Zipkin's server.
async fn health() -> Response {
    let body = r#"{"status":"UP","zipkin":{"status":"UP"}}"#;
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// A failure as Zipkin's server writes it: a line of text.
struct Error(Failure);

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let Self(failure) = self;
        let status = failure.status();
        let mut response = (status, failure.message().to_owned()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// A failure in this API's form, for who did not come as far as a handler.
pub(super) fn failed(failure: Failure) -> Response {
    Error(failure).into_response()
}

type Answer = Result<(HeaderMap, Json), Error>;
