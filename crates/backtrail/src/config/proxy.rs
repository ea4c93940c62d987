//! The proxy that is between a service and its collector, by the variables that most programs read.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::exporter::{absolute_uri, without_credentials};
use super::{Environment, Warnings};

/// The proxy through which an address is asked; nothing when it is asked directly: always of this machine's own, and of what `NO_PROXY` lists.
///
/// No standard says what the variables mean. As curl has it, lower case goes before upper case, and `ALL_PROXY` is for what has none of its own;
/// `HTTP_PROXY` in upper case is not read in a CGI program, whose clients may set it by a header.
pub(crate) fn proxy(address: &Uri, env: &Environment, warnings: &mut Warnings) -> Option<Uri> {
    let is_cgi = env.get("REQUEST_METHOD").is_some();
    let names: &[&str] = match address.scheme_str() {
        Some("https") => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        _ if is_cgi => &["http_proxy", "all_proxy", "ALL_PROXY"],
        _ => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
    };
    let host = address.host()?;
    let (name, value) = env.first(names)?;
    if is_this_machine(host) || is_excepted(address, env) {
        return None;
    }
    let proxy = read(&value);
    if proxy.is_none() {
        let told = without_credentials(&value);
        warnings.ignored(name, &told, "an address like http://proxy:3128");
    }
    proxy
}

/// A proxy that is itself asked over HTTP. Without a scheme it is meant to be one.
fn read(value: &str) -> Option<Uri> {
    let proxy = if value.contains("://") {
        absolute_uri(value)
    } else {
        absolute_uri(&format!("http://{value}"))
    };
    proxy.filter(|proxy| proxy.scheme_str() == Some("http"))
}

fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address: Result<IpAddr, _> = host.parse();
    let is_named = host.eq_ignore_ascii_case("localhost");
    address.map_or(is_named, |address| address.is_loopback())
}

fn is_excepted(address: &Uri, env: &Environment) -> bool {
    let excepted = env.first(&["no_proxy", "NO_PROXY"]);
    excepted.is_some_and(|(_, list)| {
        let any = Matcher::builder().all("http://proxy").no(list);
        any.build().intercept(address).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str, env: &[(&str, &str)]) -> (Option<String>, Vec<String>) {
        let mut warnings = Warnings::default();
        let env = Environment::of(env.iter().copied());
        let proxy = proxy(&address.parse().unwrap(), &env, &mut warnings);
        (proxy.map(|proxy| proxy.to_string()), warnings.into_vec())
    }

    #[test]
    fn an_address_has_the_proxy_of_its_scheme() {
        let env = [("HTTP_PROXY", "http://p:1"), ("https_proxy", "q:2")];
        for (address, expected) in [
            ("http://c.test:4318/v1", Some("http://p:1/")),
            ("https://c.test/v1", Some("http://q:2/")),
            ("http://localhost:4318/", None),
            ("http://127.0.0.2:4318/", None),
            ("http://[::1]:4318/", None),
        ] {
            assert_eq!(of(address, &env).0.as_deref(), expected, "{address}");
        }
        let lower_first = [env[0], ("http_proxy", "http://r:3"), ("ALL_PROXY", "a:4")];
        assert_eq!(
            of("http://c/", &lower_first).0.as_deref(),
            Some("http://r:3/")
        );
        assert_eq!(
            of("https://c/", &lower_first).0.as_deref(),
            Some("http://a:4/")
        );
        let cgi = [env[0], ("REQUEST_METHOD", "GET")];
        assert_eq!(of("http://c/", &cgi), (None, Vec::new()));
        assert_eq!(of("http://c/", &[]), (None, Vec::new()));
    }

    #[test]
    fn what_is_excepted_is_asked_directly() {
        let no = |list| [("HTTP_PROXY", "http://p:1"), ("NO_PROXY", list)];
        for (list, address, is_direct) in [
            ("c.test", "http://c.test/", true),
            (".test", "http://a.c.test/", true),
            ("x, c.test", "http://a.c.test/", true),
            ("c.test", "http://notc.test/", false),
            ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://11.1.2.3/", false),
            ("*", "http://c.test/", true),
        ] {
            let proxy = of(address, &no(list)).0;
            assert_eq!(proxy.is_none(), is_direct, "{list} and {address}");
        }
    }

    #[test]
    fn what_is_no_proxy_over_http_is_told_without_its_password() {
        let (proxy, warnings) = of("http://c/", &[("ALL_PROXY", "socks5://ann:secret@p:1")]);
        assert_eq!(proxy, None);
        assert_eq!(
            warnings,
            [
                "ALL_PROXY=socks5://REDACTED@p:1 is ignored: an address like http://proxy:3128 is expected"
            ]
        );
    }
}
