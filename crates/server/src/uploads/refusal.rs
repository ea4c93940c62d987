//! Why a request of the upload API is not followed, in the form that its clients print.

use artifacts::ErrorClass;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use thiserror::Error;

use crate::auth::Denied;

/// Seconds after which a client that found no room may come again.
const RETRY_AFTER_S: &str = "2";

/// A request that is not followed. The text is what people read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// Whoever asks may not.
    #[error("{0}")]
    Denied(Denied),
    /// The request can't be understood, or says what is not so.
    #[error("{0}")]
    Invalid(String),
    /// What it names is not there.
    #[error("{0}")]
    NotFound(String),
    /// There is no such method at this address.
    #[error("this method is not allowed here")]
    MethodNotAllowed,
    /// It is larger than it may be.
    #[error("{0}")]
    TooLarge(String),
    /// There is no room until something is deleted.
    #[error("{0}")]
    Quota(String),
    /// The body did not come in time.
    #[error(
        "the body did not arrive in time: nothing came for {0} seconds, or all of it took too long"
    )]
    TooSlow(u64),
    /// As many uploads as may wait are waiting.
    #[error("too many uploads are under way; try again in a moment")]
    Overloaded,
    /// Something is wrong here.
    #[error("{0}")]
    Internal(String),
}

impl Refusal {
    /// Something is wrong here: people who run the server read it too.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!("an upload failed: {error}");
        Self::Internal(error.to_string())
    }

    /// The HTTP status. The clients repeat what was answered with 502, 503 or 504, and with nothing else.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Denied(denied) => denied.http_status(),
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Quota(_) => StatusCode::FORBIDDEN,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// One word for counters.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Invalid(_) => "invalid",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge(_) => "too_large",
            Self::Quota(_) => "quota",
            Self::TooSlow(_) => "too_slow",
            Self::Overloaded => "overloaded",
            Self::Internal(_) => "internal",
        }
    }

    /// All words of [`label`](Self::label).
    pub(crate) const LABELS: [&'static str; 9] = [
        "denied",
        "invalid",
        "not_found",
        "method_not_allowed",
        "too_large",
        "quota",
        "too_slow",
        "overloaded",
        "internal",
    ];
}

impl From<artifacts::Error> for Refusal {
    fn from(error: artifacts::Error) -> Self {
        match error.class() {
            ErrorClass::Client => Self::Invalid(error.to_string()),
            ErrorClass::NotFound => Self::NotFound(error.to_string()),
            ErrorClass::TooLarge => Self::TooLarge(error.to_string()),
            ErrorClass::Quota => Self::Quota(error.to_string()),
            ErrorClass::Server => Self::internal(error),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            detail: String,
        }
        let body = serde_json::to_vec(&Body {
            detail: self.to_string(),
        });
        let json = [(CONTENT_TYPE, "application/json")];
        let mut response = (self.status(), json, body.unwrap_or_default()).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Denied(denied) if denied.http_status() == StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Overloaded => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
            }
            _ => {}
        }
        // Counted where all answers pass.
        response.extensions_mut().insert(self);
        response
    }
}
