//! How each API says that somebody may not ask.

use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;

use super::failure::Failure;
use super::{jaeger, v1, zipkin};
use crate::auth::Denied;

/// The answer to a request of this path, in the form of the API that it belongs to.
pub(crate) fn denied(path: &str, denied: Denied) -> Response {
    let failure = Failure::from(denied);
    let of_api = path.strip_prefix("/api/").unwrap_or_default();
    let mut response = if path.starts_with("/zipkin/") || of_api.starts_with("v2/") {
        zipkin::failed(failure)
    } else if of_api.starts_with("v3/") {
        jaeger::failed_v3(failure)
    } else if path.starts_with("/api/") && !of_api.starts_with("v1/") {
        jaeger::failed(failure)
    } else if path == "/metrics" {
        (failure.status(), format!("{}\n", failure.message())).into_response()
    } else {
        v1::failed(failure)
    };
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, denied.challenge());
    response
}
