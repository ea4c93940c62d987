//! Host and port of a request.

/// `server.address` and, if it is named, `server.port` of `host`, `host:port`, `[::1]:port` and the like. User and password are left out.
pub(super) fn split(authority: &str) -> (&str, Option<u16>) {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').unwrap_or((rest, ""));
        let port = rest.strip_prefix(':').and_then(|port| port.parse().ok());
        return (address, port);
    }
    match authority.split_once(':') {
        // An IPv6 address without brackets has no port.
        Some((_, rest)) if rest.contains(':') => (authority, None),
        Some((address, port)) => (address, port.parse().ok()),
        None => (authority, None),
    }
}

/// The port of a scheme that does not name one.
pub(super) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_credentials_are_left_in_any_host(text in any::<String>()) {
            let authority = format!("user:hush@{text}");
            prop_assume!(!text.contains("hush"));
            prop_assert!(!split(&authority).0.contains("hush"));
        }
    }

    #[test]
    fn hosts_are_split_from_their_ports() {
        assert_eq!(split("example.com"), ("example.com", None));
        assert_eq!(split("example.com:8080"), ("example.com", Some(8080)));
        assert_eq!(split("[::1]:8080"), ("::1", Some(8080)));
        assert_eq!(split("[::1]"), ("::1", None));
        assert_eq!(split("::1"), ("::1", None));
        assert_eq!(split("example.com:port"), ("example.com", None));
        assert_eq!(split("user:secret@example.com:1"), ("example.com", Some(1)));
        assert_eq!(split(""), ("", None));
    }
}
