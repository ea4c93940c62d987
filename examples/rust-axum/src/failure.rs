//! What a client is told of a failure.

use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// The error as JSON, with the id of the trace that tells more.
pub(crate) fn answer(status: StatusCode, error: &impl Error) -> Response {
    let trace_id = backtrail::current_trace_id().map(|id| id.to_string());
    let body = json!({"error": error.to_string(), "traceId": trace_id});
    (status, Json(body)).into_response()
}
