//! Why there is no answer, before an API puts it into its own form.

use std::fmt::Display;

use artifacts::ErrorClass;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use query::QueryError;
use store::StoreError;

use super::Json;
use crate::auth::Denied;

/// When to come back, in seconds: a query takes less than that unless the machine is in trouble.
const RETRY_AFTER_S: &str = "2";

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request can't be understood.
    Invalid(String),
    /// What was asked for is not there.
    NotFound(String),
    /// Who asks has not said who they are, or not so that we believe it.
    Unauthenticated(String),
    /// A page of another site asks for it, or somebody who may not.
    Forbidden(String),
    /// There is no such method at this address.
    MethodNotAllowed,
    /// As many questions as may wait are waiting.
    Overloaded,
    /// It can't be done now.
    Unavailable(String),
    /// The answer took longer than it may.
    TimedOut,
    /// Something is wrong here.
    Internal(String),
}

impl Failure {
    pub(super) fn internal(error: impl Display) -> Self {
        tracing::error!("a query failed: {error}");
        Self::Internal(error.to_string())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Overloaded | Self::Unavailable(_) | Self::TimedOut => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// One word for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_argument",
            Self::NotFound(_) => "not_found",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Overloaded => "overloaded",
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Internal(_) => "internal",
        }
    }

    /// A sentence for people.
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Invalid(message)
            | Self::NotFound(message)
            | Self::Unauthenticated(message)
            | Self::Forbidden(message)
            | Self::Unavailable(message)
            | Self::Internal(message) => message,
            Self::MethodNotAllowed => "this method is not allowed here",
            Self::Overloaded => "too many queries are running; try again in a moment",
            Self::TimedOut => "the query took too long; ask for a shorter time range",
        }
    }

    /// The answer with a body of the API's own form.
    pub(super) fn with_body(&self, body: Json) -> Response {
        let mut response = (self.status(), body).into_response();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, http::HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied.http_status() {
            StatusCode::FORBIDDEN => Self::Forbidden(denied.to_string()),
            _ => Self::Unauthenticated(denied.to_string()),
        }
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::OverBudget => Self::TimedOut,
            QueryError::TooManyConditions { .. } => Self::Invalid(error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<artifacts::Error> for Failure {
    fn from(error: artifacts::Error) -> Self {
        match error.class() {
            ErrorClass::Client | ErrorClass::TooLarge | ErrorClass::Quota => {
                Self::Invalid(error.to_string())
            }
            ErrorClass::NotFound => Self::NotFound(error.to_string()),
            ErrorClass::Server => Self::internal(error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stopped { .. } | StoreError::Log(_) => Self::Unavailable(error.to_string()),
            error if error.is_transient() => Self::Unavailable(error.to_string()),
            error => Self::internal(error),
        }
    }
}

impl From<model::ScanError> for Failure {
    fn from(error: model::ScanError) -> Self {
        Self::internal(error)
    }
}

impl From<model::WireError> for Failure {
    fn from(error: model::WireError) -> Self {
        Self::internal(format!("a span that is kept can't be read: {error}"))
    }
}
