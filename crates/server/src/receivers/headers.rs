//! What a request's headers say of its body.

use codec::ContentEncoding;
use http::{HeaderMap, HeaderName, header};

use crate::ingest::Refusal;

/// The media type in lower case, without its parameters; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let whole = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.as_bytes().escape_ascii().to_string())
        .unwrap_or_default();
    let essence = whole.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// How the body is compressed, by the header that says so.
pub(super) fn content_encoding(
    headers: &HeaderMap,
    name: HeaderName,
) -> Result<ContentEncoding, Refusal> {
    headers
        .get(name)
        .map_or(Ok(ContentEncoding::Identity), |value| {
            ContentEncoding::from_header(value.as_bytes())
        })
        .map_err(|error| Refusal::UnsupportedEncoding { found: error.value })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter() {
        let mut headers = HeaderMap::new();
        assert_eq!(media_type(&headers), "");
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("Application/JSON ; charset=utf-8"),
        );
        assert_eq!(media_type(&headers), "application/json");
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_bytes(b"\xff").unwrap(),
        );
        assert_eq!(media_type(&headers), "\\xff");
    }

    #[test]
    fn an_unknown_encoding_is_named() {
        let mut headers = HeaderMap::new();
        let encoding = |headers: &HeaderMap| content_encoding(headers, header::CONTENT_ENCODING);
        assert_eq!(encoding(&headers), Ok(ContentEncoding::Identity));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("GZIP"));
        assert_eq!(encoding(&headers), Ok(ContentEncoding::Gzip));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        let found = "br".to_owned();
        assert_eq!(
            encoding(&headers),
            Err(Refusal::UnsupportedEncoding { found })
        );
    }
}
