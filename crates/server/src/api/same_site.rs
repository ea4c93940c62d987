//! Refuses what a page of another site has a browser ask for.
//!
//! No listener of this server answers a preflight of the read APIs, so a browser sends no `DELETE` of another origin in the first place. This holds where that does not: an old browser, a proxy that
//! answers preflights, or a name of an attacker's that was made to lead to this machine, which makes the attacker's page one of the same origin (DNS rebinding).

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;

use super::Api;
use super::failure::Failure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Api {
    /// Passes whoever is no browser, and the server's own page.
    pub(super) fn refuse_other_sites(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let web = self.listeners.iter().find(|bound| bound.name == "web");
        let is_on_loopback = web.is_some_and(|bound| bound.address.ip().is_loopback());
        if is_of_this_site(headers, is_on_loopback) {
            return Ok(());
        }
        Err(Failure::Forbidden(
            "a page of another site must not change anything here".to_owned(),
        ))
    }
}

fn is_of_this_site(headers: &HeaderMap, is_on_loopback: bool) -> bool {
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
    is_same_site && is_same_origin && (!is_on_loopback || names_this_machine(host.host()))
}

/// Names that nobody else can give to this machine.
fn names_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(host: &str, site: Option<&str>, origin: Option<&str>, is_on_loopback: bool) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        for (name, value) in [(SEC_FETCH_SITE, site), (ORIGIN, origin)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        is_of_this_site(&headers, is_on_loopback)
    }

    #[test]
    fn programs_and_the_servers_own_page_pass() {
        let own = Some("http://127.0.0.1:16686");
        assert!(passes("127.0.0.1:16686", None, None, true));
        assert!(passes("127.0.0.1:16686", Some("same-origin"), own, true));
        assert!(passes("127.0.0.1:16686", None, own, true));
        assert!(passes(
            "[::1]:16686",
            None,
            Some("http://[::1]:16686"),
            true
        ));
        assert!(passes("localhost:16686", Some("none"), None, true));
        assert!(passes(
            "traces.example",
            None,
            Some("https://traces.example"),
            false
        ));
    }

    #[test]
    fn pages_of_other_sites_do_not() {
        let host = "127.0.0.1:16686";
        for site in ["cross-site", "same-site", ""] {
            assert!(!passes(host, Some(site), None, true), "{site}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "http://127.0.0.1:8080",
            "http://127.0.0.1:16686.evil.example",
        ] {
            assert!(!passes(host, None, Some(origin), true), "{origin}");
        }
    }

    #[test]
    fn a_foreign_name_for_this_machine_does_not() {
        let origin = Some("http://evil.example:16686");
        assert!(!passes(
            "evil.example:16686",
            Some("same-origin"),
            origin,
            true
        ));
    }
}
