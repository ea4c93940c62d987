//! Whether a source's name is a URL at all, as far as the URL standard can refuse one that has a base.
//!
//! With a base, nearly every text is a URL: a relative one. What can be wrong is the scheme's host and port, where the text has a scheme or begins
//! with two slashes.

/// Schemes whose URLs have a host that is not opaque, and may use `\` for `/`.
const SPECIAL: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

/// Why the name behind its root is no URL; `None` if it is one.
pub(super) fn problem(root: Option<&str>, source: &str) -> Option<&'static str> {
    let joined;
    let url = match root {
        // An empty root is none, as engines read it.
        None | Some("") => source,
        Some(root) => {
            let slash = if root.ends_with('/') { "" } else { "/" };
            joined = format!("{root}{slash}{source}");
            &joined
        }
    };
    let url = url.trim_matches(|character: char| character <= ' ');
    let (scheme, rest) = scheme_of(url)?;
    let is_special = SPECIAL
        .iter()
        .any(|special| scheme.eq_ignore_ascii_case(special));
    let is_file = scheme.eq_ignore_ascii_case("file");
    let rest = if is_special {
        rest.trim_start_matches(['/', '\\'])
    } else {
        rest.strip_prefix("//")?
    };
    let end = if is_special || is_file {
        rest.find(['/', '\\', '?', '#'])
    } else {
        rest.find(['/', '?', '#'])
    };
    let authority = &rest[..end.unwrap_or(rest.len())];
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = split_port(host);
    if host.is_empty() {
        // Such as `webpack:///./src/main.ts`.
        return (is_special || port.is_some()).then_some("a host is missing");
    }
    if host.starts_with('[') {
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_address = inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
        return (!is_address).then_some("a host in brackets is no address");
    }
    if host.contains(is_forbidden) {
        return Some("a host has a character that hosts do not have");
    }
    match port {
        None | Some("") => None,
        Some(port)
            if port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok() =>
        {
            None
        }
        Some(_) => Some("a port is no number up to 65535"),
    }
}

fn scheme_of(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let mut characters = scheme.chars();
    let is_scheme = characters.next()?.is_ascii_alphabetic()
        && characters.all(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.')
        });
    is_scheme.then_some((scheme, rest))
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    let behind_brackets = host.rfind(']').map_or(0, |at| at + 1);
    match host[behind_brackets..].find(':') {
        Some(at) => (
            &host[..behind_brackets + at],
            Some(&host[behind_brackets + at + 1..]),
        ),
        None => (host, None),
    }
}

/// "Forbidden host code point" of the URL standard, without those that end a host.
fn is_forbidden(character: char) -> bool {
    matches!(
        character,
        '\0' | '\t' | '\n' | '\r' | ' ' | '<' | '>' | '[' | ']' | '^' | '|'
    )
}
