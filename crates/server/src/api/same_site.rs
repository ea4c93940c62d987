//! Refuses what a page of another site has a browser ask for.
//!
//! No listener of this server answers a preflight of the read APIs, so a browser sends no `DELETE` of another origin in the first place. This holds where that does not: an old browser, or a proxy that
//! answers preflights. A name of an attacker's that was made to lead to this machine is refused before (`listen::check_hosts`).

use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;

use super::failure::Failure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Passes whoever is no browser, and the server's own page.
pub(super) fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Failure> {
    if is_of_this_site(headers) {
        return Ok(());
    }
    Err(Failure::Forbidden(
        "a page of another site must not change anything here".to_owned(),
    ))
}

fn is_of_this_site(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let (site, origin) = (text(SEC_FETCH_SITE), text(ORIGIN));
    if site.is_none() && origin.is_none() {
        return true;
    }
    let host: Option<Authority> = text(HOST).and_then(|host| host.parse().ok());
    let Some(host) = host else { return false };
    // "none" is what a person typed, or a bookmark.
    let is_same_site = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    let is_same_origin = origin.is_none_or(|origin| {
        let of_origin = origin.split_once("://").map(|(_, authority)| authority);
        of_origin.is_some_and(|authority| authority.eq_ignore_ascii_case(host.as_str()))
    });
    is_same_site && is_same_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(host: &str, site: Option<&str>, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        for (name, value) in [(SEC_FETCH_SITE, site), (ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        is_of_this_site(&headers)
    }

    #[test]
    fn programs_and_the_servers_own_page_pass() {
        let own = Some("http://127.0.0.1:16686");
        assert!(passes("127.0.0.1:16686", None, None));
        assert!(passes("127.0.0.1:16686", Some("same-origin"), own));
        assert!(passes("127.0.0.1:16686", None, own));
        assert!(passes("[::1]:16686", None, Some("http://[::1]:16686")));
        assert!(passes("localhost:16686", Some("none"), None));
        assert!(passes(
            "traces.example",
            None,
            Some("https://traces.example")
        ));
    }

    #[test]
    fn pages_of_other_sites_do_not() {
        let host = "127.0.0.1:16686";
        for site in ["cross-site", "same-site", ""] {
            assert!(!passes(host, Some(site), None), "{site}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:16686.evil.example",
        ] {
            assert!(!passes(host, None, Some(origin)), "{origin}");
        }
    }
}
