//! Bodies in JSON.

use std::time::Duration;

use axum::extract::Request;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// A release with thousands of commits and the files of each fits.
const MAX_JSON_BYTES: usize = 8 << 20;

/// Reads a body whole. Fields that are not known are the client's own affair; its media type is not asked for.
pub(super) async fn json<T: DeserializeOwned>(
    request: Request,
    timeout: Duration,
) -> Result<T, Refusal> {
    let body = Limited::new(request.into_body(), MAX_JSON_BYTES);
    let bytes = tokio::time::timeout(timeout, body.collect())
        .await
        .map_err(|_| Refusal::TooSlow(timeout.as_secs()))?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                Refusal::TooLarge(format!(
                    "the body has more than {MAX_JSON_BYTES} bytes, the limit"
                ))
            } else {
                Refusal::Invalid(format!("the body broke off: {error}"))
            }
        })?
        .to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::Invalid(format!(
            "the body is not the JSON that belongs here: {error}"
        ))
    })
}
