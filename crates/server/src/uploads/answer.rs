//! Answers in JSON, with exactly the media type that the clients look for.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;

use super::refusal::Refusal;

/// A status and a body that is written already.
pub(super) struct Json {
    status: StatusCode,
    body: Vec<u8>,
}

impl Json {
    /// 200 with this.
    pub(super) fn ok(value: &impl Serialize) -> Result<Self, Refusal> {
        Self::with(StatusCode::OK, value)
    }

    /// 201 with this.
    pub(super) fn created(value: &impl Serialize) -> Result<Self, Refusal> {
        Self::with(StatusCode::CREATED, value)
    }

    /// A status with this.
    pub(super) fn with(status: StatusCode, value: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(value).map_err(Refusal::internal)?;
        Ok(Self { status, body })
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: Vec::new(),
        }
    }

    /// 200 without a body.
    pub(super) fn empty() -> Self {
        Self {
            status: StatusCode::OK,
            body: Vec::new(),
        }
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/json"),
            (CACHE_CONTROL, "no-cache"),
        ];
        (self.status, headers, self.body).into_response()
    }
}
