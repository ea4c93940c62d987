//! What must not be read in a span, wherever it comes from.

use std::borrow::Cow;

pub(crate) const REDACTED: &str = "REDACTED";

/// Keys whose values are signatures (semantic conventions 1.42, `url.query`), and those that everybody gives to secrets.
pub(crate) const SENSITIVE_KEYS: [&str; 17] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "access_token",
    "api_key",
    "apikey",
    "client_secret",
    "id_token",
    "passwd",
    "password",
    "refresh_token",
    "secret",
    "token",
];

/// A query without the values of sensitive keys. The keys stay.
pub(crate) fn query<'a>(query: &'a str, more_keys: &[String]) -> Cow<'a, str> {
    let is_secret = |pair: &str| is_sensitive(pair, more_keys);
    if !query.split('&').any(is_secret) {
        return Cow::Borrowed(query);
    }
    let mut redacted = String::with_capacity(query.len());
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            redacted.push('&');
        }
        match pair.split_once('=') {
            Some((key, _)) if is_secret(pair) => {
                redacted.push_str(key);
                redacted.push('=');
                redacted.push_str(REDACTED);
            }
            _ => redacted.push_str(pair),
        }
    }
    Cow::Owned(redacted)
}

/// Text without what is secret in the URLs in it: user and password, and values of sensitive keys. Clients of HTTP like to put the URL into the
/// message of an error.
pub(crate) fn urls_in(text: String) -> String {
    urls_and_keys_in(text, &[])
}

/// [`urls_in`] with sensitive keys of the service's own.
pub(crate) fn urls_and_keys_in(text: String, more_keys: &[String]) -> String {
    let Some(mut at) = text.find(SCHEME_END) else {
        return text;
    };
    let mut redacted = String::with_capacity(text.len());
    let mut rest = &*text;
    loop {
        let (before, after) = rest.split_at(at + SCHEME_END.len());
        redacted.push_str(before);
        let end = after.find(is_outside_of_urls).unwrap_or(after.len());
        // A URL in a URL counts for itself.
        let end = after[..end].find(SCHEME_END).unwrap_or(end);
        push_url(&mut redacted, &after[..end], more_keys);
        rest = &after[end..];
        match rest.find(SCHEME_END) {
            Some(next) => at = next,
            None => break,
        }
    }
    redacted.push_str(rest);
    redacted
}

/// A URL, or a reference to a part of one, as headers have them: what is secret in it does not stay, whether it names a host or not.
#[cfg(feature = "http")]
pub(crate) fn reference(text: String, more_keys: &[String]) -> String {
    if !text.starts_with(['/', '?', '#']) {
        return urls_and_keys_in(text, more_keys);
    }
    // `//host/path` has an authority, and no scheme.
    let (slashes, rest) = text.split_at(if text.starts_with("//") { 2 } else { 0 });
    let mut redacted = slashes.to_owned();
    push_url(&mut redacted, rest, more_keys);
    urls_and_keys_in(redacted, more_keys)
}

const SCHEME_END: &str = "://";

/// Brackets and the like may stand in a URL, and may be part of a secret.
fn is_outside_of_urls(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`')
}

/// A URL from its authority on.
fn push_url(redacted: &mut String, url: &str, more_keys: &[String]) {
    let (authority, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => redacted.extend([REDACTED, ":", REDACTED, "@", host]),
        None => redacted.push_str(authority),
    }
    let (path, after) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
    redacted.push_str(path);
    // Tokens travel in fragments as well, in the form of a query.
    for part in after.split_inclusive(['?', '#']) {
        redacted.push_str(&query(part, more_keys));
        let end = part.chars().next_back().filter(|&c| c == '?' || c == '#');
        if let Some(end) = end.filter(|&end| !redacted.ends_with(end)) {
            redacted.push(end);
        }
    }
}

fn is_sensitive(pair: &str, more_keys: &[String]) -> bool {
    let Some((key, _)) = pair.split_once('=') else {
        return false;
    };
    let key = decoded(key);
    let is_key = |sensitive: &str| sensitive.as_bytes().eq_ignore_ascii_case(&key);
    SENSITIVE_KEYS.into_iter().any(is_key) || more_keys.iter().any(|key| is_key(key))
}

/// A key as the service reads it: `s%69g` is `sig` there.
fn decoded(key: &str) -> Cow<'_, [u8]> {
    if !key.contains('%') {
        return Cow::Borrowed(key.as_bytes());
    }
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..] if *first == b'%' => byte_of(*high, *low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    Cow::Owned(bytes)
}

fn byte_of(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_in_text_tell_no_secret() {
        for (text, told) in [
            ("no url, a@b", "no url, a@b"),
            (
                "error sending request for url (https://h:8/a?page=2&sig=HUSH)",
                "error sending request for url (https://h:8/a?page=2&sig=REDACTED",
            ),
            (
                "postgres://ann:HUSH@db/shop: refused, redis://:HUSH@c",
                "postgres://REDACTED:REDACTED@db/shop: refused, redis://REDACTED:REDACTED@c",
            ),
            (
                "\"http://h/@ann#access_token=HUSH\" and x://",
                "\"http://h/@ann#access_token=REDACTED\" and x://",
            ),
            (
                "http://h/?to=https://ann:HUSH@b/",
                "http://h/?to=https://REDACTED:REDACTED@b/",
            ),
            (
                "http://h?token=HUSH#token=HUSH#?",
                "http://h?token=REDACTED#token=REDACTED#?",
            ),
        ] {
            assert_eq!(urls_in(text.to_owned()), told);
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn references_tell_no_secret_with_a_host_or_without() {
        let keys = ["voucher".to_owned()];
        for (text, told) in [
            ("text/plain", "text/plain"),
            ("/a?page=2&voucher=HUSH", "/a?page=2&voucher=REDACTED"),
            ("?token=HUSH#token=HUSH", "?token=REDACTED#token=REDACTED"),
            ("//h/a?token=HUSH", "//h/a?token=REDACTED"),
            (
                "https://u:HUSH@h/?sig=HUSH",
                "https://REDACTED:REDACTED@h/?sig=REDACTED",
            ),
            (
                "/to?at=http://u:HUSH@h/",
                "/to?at=http://REDACTED:REDACTED@h/",
            ),
        ] {
            assert_eq!(reference(text.to_owned(), &keys), told);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_that_without_secrets_stays(text in "[a-z:/?#&=.é ()]{0,60}") {
            let is_secret = SENSITIVE_KEYS.iter().any(|key| text.contains(&format!("{}=", key.to_lowercase())));
            let told = urls_in(text.clone());
            prop_assert!(is_secret || told == text, "{told:?}");
        }

        #[test]
        fn no_secret_is_left_in_any_url(
            before in "[a-z :/(]{0,10}",
            path in "[a-z/@]{0,10}",
            query in "[a-z=&#?]{0,10}",
            key in prop::sample::select(&SENSITIVE_KEYS[..]),
        ) {
            let text = format!("{before}http://u:HUSH@h/{path}?{query}&{key}=HUSH) end");
            let told = urls_in(text);
            prop_assert!(!told.contains("HUSH") && told.ends_with(" end"), "{told:?}");
        }
    }
}
