//! Headers: what the browser may do with our answers, and what a request says that it takes.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use tower_http::set_header::SetResponseHeaderLayer;

/// Only our own files, in nobody's frame: an attribute that got into the page as HTML could still
/// neither run nor send anything anywhere.
const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const STRICT: [(HeaderName, HeaderValue); 3] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Sets the strict headers on all answers of `router`. Twice is the same as once.
pub(crate) fn with_strict_headers(router: Router) -> Router {
    STRICT.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}

/// Whether `Accept-Encoding` allows gzip: it is named, or `*` is, and not with weight 0.
pub(super) fn accepts_gzip<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> bool {
    let mut by_star = false;
    for item in items(values) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            part.strip_prefix("q=")
                .and_then(|weight| weight.trim().parse::<f32>().ok())
                .is_some_and(|weight| weight <= 0.0)
        });
        if coding.eq_ignore_ascii_case("gzip") {
            return !refused;
        }
        by_star |= coding == "*" && !refused;
    }
    by_star
}

/// Whether `If-None-Match` names this entity tag. Weak tags count: the comparison is the weak one.
pub(super) fn matches_etag<'a>(
    values: impl IntoIterator<Item = &'a HeaderValue>,
    etag: &HeaderValue,
) -> bool {
    items(values)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item).as_bytes() == etag)
}

/// The members of a comma-separated header. What is not text is no member.
fn items<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    values
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        let accepts = |value: &str| accepts_gzip([&HeaderValue::from_str(value).unwrap()]);
        for taken in ["gzip", "GZIP", "br, gzip;q=0.5", "*", "gzip, *;q=0"] {
            assert!(accepts(taken), "{taken}");
        }
        for refused in ["", "br", "identity", "gzip;q=0", "*, gzip; q=0.0", "*;q=0"] {
            assert!(!accepts(refused), "{refused}");
        }
        assert!(!accepts_gzip([]), "no header");
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list() {
        let etag = HeaderValue::from_static("\"a1\"");
        let matches = |value: &str| matches_etag([&HeaderValue::from_str(value).unwrap()], &etag);
        for same in ["\"a1\"", "W/\"a1\"", "\"b\", \"a1\"", "*"] {
            assert!(matches(same), "{same}");
        }
        for other in ["\"a\"", "a1", "\"a1-gzip\""] {
            assert!(!matches(other), "{other}");
        }
    }
}
