//! Credentials in an address.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::uri::Authority;
use http::{HeaderValue, Uri};

use crate::config::percent_decoded;

/// An address without the user and password in it, and these as the value of a header `Authorization`, of the scheme Basic. Source: RFC 7617; that
/// an address may have them, RFC 3986, 3.2.1.
pub(super) fn taken_from(address: Uri) -> (Uri, Option<HeaderValue>) {
    let mut parts = address.clone().into_parts();
    let Some((credentials, host)) = parts
        .authority
        .as_ref()
        .and_then(|authority| authority.as_str().rsplit_once('@'))
    else {
        return (address, None);
    };
    let basic = basic(credentials);
    let host: Option<Authority> = host.parse().ok();
    parts.authority = host;
    match Uri::from_parts(parts) {
        Ok(plain) => (plain, basic),
        // Its host was read before, so there is none.
        Err(_) => (address, basic),
    }
}

fn basic(credentials: &str) -> Option<HeaderValue> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let decoded = |text: &str| percent_decoded(text).unwrap_or_else(|| text.to_owned());
    let both = format!("{}:{}", decoded(user), decoded(password));
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(both))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_are_a_header_and_no_part_of_the_address() {
        // The first is the example of RFC 7617.
        for (address, plain, header) in [
            (
                "http://Aladdin:open%20sesame@host:4318/v1/traces?a=b",
                "http://host:4318/v1/traces?a=b",
                Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ),
            ("https://ann@host/", "https://host/", Some("Basic YW5uOg==")),
            (
                "http://ann:a:b%40c@[::1]:1/",
                "http://[::1]:1/",
                Some("Basic YW5uOmE6YkBj"),
            ),
            (
                "http://ann:100%@host/",
                "http://host/",
                Some("Basic YW5uOjEwMCU="),
            ),
            ("http://host:4318/a@b", "http://host:4318/a@b", None),
        ] {
            let (uri, value) = taken_from(address.parse().unwrap());
            assert_eq!(uri.to_string(), plain);
            let told = value.as_ref().map(|value| value.to_str().unwrap());
            assert_eq!(told, header, "{address}");
            assert!(value.is_none_or(|value| value.is_sensitive()));
        }
    }
}
