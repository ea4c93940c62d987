//! What a proxy says of the request that it got.

/// The client's side of the outermost proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::http) struct Forwarded<'a> {
    pub(in crate::http) client: Option<&'a str>,
    pub(in crate::http) host: Option<&'a str>,
    pub(in crate::http) scheme: Option<&'static str>,
}

impl<'a> Forwarded<'a> {
    /// `Forwarded` (RFC 7239) goes before the headers that are older.
    pub(in crate::http) fn read(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        if let Some(value) = header("forwarded") {
            return Self::of_standard(value);
        }
        let first = |name| header(name).and_then(|value| first_of(value, ','));
        Self {
            client: first("x-forwarded-for").map(without_port),
            host: first("x-forwarded-host"),
            scheme: first("x-forwarded-proto").and_then(scheme),
        }
    }

    fn of_standard(value: &'a str) -> Self {
        let mut forwarded = Self::default();
        let outermost = value.split(',').next().unwrap_or_default();
        for pair in outermost.split(';') {
            let Some((key, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            match key.trim() {
                key if key.eq_ignore_ascii_case("for") => {
                    forwarded.client = Some(without_port(value));
                }
                key if key.eq_ignore_ascii_case("host") => forwarded.host = Some(value),
                key if key.eq_ignore_ascii_case("proto") => forwarded.scheme = scheme(value),
                _ => {}
            }
        }
        forwarded
    }
}

fn first_of(value: &str, separator: char) -> Option<&str> {
    let first = value.split(separator).next()?.trim();
    (!first.is_empty()).then_some(first)
}

fn without_port(address: &str) -> &str {
    super::super::host::split(address).0
}

fn scheme(value: &str) -> Option<&'static str> {
    let known = ["http", "https", "ws", "wss"];
    known
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_header_can_be_read(text in any::<String>()) {
            let standard = Forwarded::read(|name| (name == "forwarded").then_some(&*text));
            let older = Forwarded::read(|name| (name != "forwarded").then_some(&*text));
            prop_assert!(standard.host.is_none_or(|host| text.contains(host)));
            prop_assert!(older.host.is_none_or(|host| text.contains(host)));
        }
    }

    #[test]
    fn the_outermost_proxy_is_believed() {
        let standard = Forwarded::read(|name| {
            (name == "forwarded").then_some(
                r#"For="[2001:db8::1]:4711";Proto=HTTPS;host=shop.example, for=10.0.0.1"#,
            )
        });
        let expected = Forwarded {
            client: Some("2001:db8::1"),
            host: Some("shop.example"),
            scheme: Some("https"),
        };
        assert_eq!(standard, expected);
        let older = Forwarded::read(|name| match name {
            "x-forwarded-for" => Some("192.0.2.60:81 , 10.0.0.1"),
            "x-forwarded-proto" => Some("gopher"),
            _ => None,
        });
        assert_eq!(older.client, Some("192.0.2.60"));
        assert_eq!(older.scheme, None, "what is no scheme of HTTP is ignored");
    }
}
