//! A session of the page: a cookie that stands for a token, so that the page's scripts need not keep one.
//!
//! Its secret is made of the token, and compared like one: so a session ends when its token is revoked or expires, and goes on when the server is started again.
//! Scripts can't read it, and a browser sends it only for pages of this site.

use http::header::{COOKIE, HOST, HeaderName};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

use super::secret::Secret;

const NAME: &str = "backtrail_session";
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// How long a browser keeps it.
const MAX_AGE_S: u64 = 30 * 86_400;

/// What the cookie of a request holds.
pub(super) fn of(headers: &HeaderMap) -> Option<Secret> {
    let name = name(headers);
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .and_then(|(_, value)| value.parse().ok())
}

/// `Set-Cookie` that begins a session of a token, in answer to a request with these headers.
pub(crate) fn session_cookie(token: &Secret, request: &HeaderMap) -> Option<HeaderValue> {
    let session = token.session();
    let mut value = cookie(request, session.reveal(), MAX_AGE_S)?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that ends it.
pub(crate) fn clearing_cookie(request: &HeaderMap) -> Option<HeaderValue> {
    cookie(request, "", 0)
}

fn cookie(request: &HeaderMap, value: &str, max_age_s: u64) -> Option<HeaderValue> {
    let name = name(request);
    let secure = if came_by_https(request) {
        "; Secure"
    } else {
        ""
    };
    let text =
        format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).ok()
}

/// Browsers keep one set of cookies for all ports of a host, and two servers may run on one.
fn name(headers: &HeaderMap) -> String {
    let port = headers
        .get(HOST)
        .and_then(|host| Authority::try_from(host.as_bytes()).ok())
        .and_then(|host| host.port_u16());
    match port {
        Some(port) => format!("{NAME}_{port}"),
        None => NAME.to_owned(),
    }
}

/// We speak no TLS ourselves: a proxy before us says whether its client does.
fn came_by_https(headers: &HeaderMap) -> bool {
    let first = headers
        .get(FORWARDED_PROTO)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(',').next());
    first.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn the_cookie_is_closed_to_scripts_and_other_sites_and_secure_behind_https() {
        let token = Secret::presented("abc");
        let cookie = |request: &HeaderMap| {
            let value = session_cookie(&token, request).unwrap();
            assert!(value.is_sensitive());
            value.to_str().unwrap().to_owned()
        };
        let plain = cookie(&headers(&[("host", "localhost:16686")]));
        let session = token.session();
        assert_eq!(
            plain,
            format!(
                "backtrail_session_16686={}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict",
                session.reveal()
            )
        );
        let secure = cookie(&headers(&[
            ("host", "traces.example"),
            ("x-forwarded-proto", "https"),
        ]));
        assert!(secure.starts_with("backtrail_session="));
        assert!(secure.ends_with("; SameSite=Strict; Secure"));
    }

    #[test]
    fn the_cookie_is_found_among_others_by_the_port_of_its_server() {
        let with = |cookie: &str| of(&headers(&[("host", "localhost:1"), ("cookie", cookie)]));
        let secret = Some(Secret::presented("s"));
        assert_eq!(with("a=b; backtrail_session_1=s"), secret);
        assert_eq!(with("backtrail_session_1=s;c"), secret);
        for cookie in [
            "",
            "backtrail_session_2=s",
            "backtrail_session=s",
            "backtrail_session_1=",
        ] {
            assert_eq!(with(cookie), None, "{cookie}");
        }
    }

    #[test]
    fn the_cookie_of_the_end_is_empty_and_over() {
        let value = clearing_cookie(&headers(&[("host", "a")])).unwrap();
        let text = value.to_str().unwrap();
        assert!(text.starts_with("backtrail_session=; Path=/; Max-Age=0;"));
    }
}
