//! Which names a listener answers to: the guard against DNS rebinding.
//!
//! A page of any site may make its own name resolve to 127.0.0.1 and is of one origin with us then, so that the browser lets it read every span. What it can't do is
//! to send another `Host` than its name.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header, uri::Authority};

use crate::config::{AllowedHosts, Endpoint, Setting};

/// Adds the check to the routes of a listener at `endpoint`.
pub(crate) fn check_hosts(router: Router, endpoint: Endpoint, allowed: &AllowedHosts) -> Router {
    let names: Arc<[String]> = match allowed {
        AllowedHosts::Any => return router,
        // Other machines know this one by names that we don't know.
        AllowedHosts::Local if endpoint.is_public() => return router,
        AllowedHosts::Local => Arc::new([]),
        AllowedHosts::List(names) => names.as_slice().into(),
    };
    router.layer(from_fn(move |request: Request, next: Next| {
        let names = Arc::clone(&names);
        async move {
            match host(&request) {
                Some(host) if !is_allowed(&host, &names) => refuse(&host),
                // Only what is no browser sends none.
                _ => next.run(request).await,
            }
        }
    }))
}

/// What the client calls us, without the port. HTTP/2 has it in the address.
fn host(request: &Request) -> Option<String> {
    if let Some(host) = request.uri().host() {
        return Some(host.to_owned());
    }
    let value = request.headers().get(header::HOST)?.as_bytes();
    Some(match Authority::try_from(value) {
        Ok(authority) => authority.host().to_owned(),
        Err(_) => value.escape_ascii().to_string(),
    })
}

/// An address is no name that somebody could have pointed here.
fn is_allowed(host: &str, names: &[String]) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let unbracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    unbracketed.unwrap_or(&host).parse::<IpAddr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || names.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

fn refuse(host: &str) -> Response {
    let ways = Setting::find("allowed_hosts").map_or_else(String::new, Setting::ways);
    let message = format!(
        "this server does not answer to the name {host:?}, so that no site can read it through a name of its own; \
         use localhost or an address, or allow the name with {ways}\n"
    );
    (StatusCode::MISDIRECTED_REQUEST, message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_known_and_names_only_by_the_setting() {
        let names = ["traces.example".to_owned()];
        for host in [
            "127.0.0.1",
            "192.0.2.1",
            "[::1]",
            "localhost",
            "LOCALHOST.",
            "shop.localhost",
            "Traces.Example",
        ] {
            assert!(is_allowed(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "traces.example.evil.example",
        ] {
            assert!(!is_allowed(host, &names), "{host}");
        }
    }
}
