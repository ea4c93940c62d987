//! Who may upload. The one place that knows.

use axum::extract::Request;
use http::header::AUTHORIZATION;

use super::refusal::Refusal;

/// Passes whoever sends a token. While there are no tokens for uploading, any will do: other machines reach this listener
/// only where `allow_anonymous` says that they may.
pub(super) fn authorize(request: &Request) -> Result<(), Refusal> {
    let header = request.headers().get(AUTHORIZATION);
    let text = header.and_then(|value| value.to_str().ok());
    let (scheme, token) = text
        .and_then(|text| text.split_once(' '))
        .ok_or(Refusal::NoToken)?;
    if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() {
        return Ok(());
    }
    Err(Refusal::NoToken)
}
