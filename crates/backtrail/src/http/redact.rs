//! What must not be read in a span.

use std::borrow::Cow;
use std::sync::Arc;

pub(super) const REDACTED: &str = "REDACTED";

/// Keys whose values are signatures (semantic conventions 1.42, `url.query`), and those that everybody gives to secrets.
const SENSITIVE_KEYS: [&str; 17] = [
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

/// Which query values are redacted.
#[derive(Clone, Debug, Default)]
pub(super) struct Redaction {
    more_keys: Arc<[String]>,
}

impl Redaction {
    pub(super) fn add_keys<K: Into<String>>(&mut self, keys: impl IntoIterator<Item = K>) {
        let known = self.more_keys.iter().cloned();
        self.more_keys = known.chain(keys.into_iter().map(Into::into)).collect();
    }

    /// A query without the values of sensitive keys. The keys stay.
    pub(super) fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        if !query.split('&').any(|pair| self.is_sensitive(pair)) {
            return Cow::Borrowed(query);
        }
        let mut redacted = String::with_capacity(query.len());
        for (index, pair) in query.split('&').enumerate() {
            if index > 0 {
                redacted.push('&');
            }
            match pair.split_once('=') {
                Some((key, _)) if self.is_sensitive(pair) => {
                    redacted.push_str(key);
                    redacted.push('=');
                    redacted.push_str(REDACTED);
                }
                _ => redacted.push_str(pair),
            }
        }
        Cow::Owned(redacted)
    }

    fn is_sensitive(&self, pair: &str) -> bool {
        let Some((key, _)) = pair.split_once('=') else {
            return false;
        };
        let key = decoded(key);
        let is_key = |sensitive: &str| sensitive.as_bytes().eq_ignore_ascii_case(&key);
        SENSITIVE_KEYS.into_iter().any(is_key) || self.more_keys.iter().any(|key| is_key(key))
    }
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

    proptest! {
        #[test]
        fn no_secret_is_left_in_any_query(
            before in "[a-z0-9=&%]{0,20}",
            key in prop::sample::select(&SENSITIVE_KEYS[..]),
            after in "[a-z0-9=%]{0,20}",
        ) {
            let query = format!("{before}&{key}=HUSH{after}HUSH&page=2");
            let redacted = Redaction::default().query(&query).into_owned();
            prop_assert!(!redacted.contains("HUSH"));
            prop_assert!(redacted.ends_with("=REDACTED&page=2"));
        }

        #[test]
        fn a_query_of_any_text_can_be_redacted(query in any::<String>()) {
            let redacted = Redaction::default().query(&query).into_owned();
            prop_assert_eq!(redacted.split('&').count(), query.split('&').count());
        }
    }

    #[test]
    fn values_of_sensitive_keys_are_redacted_and_all_else_stays() {
        let redaction = Redaction::default();
        assert_eq!(redaction.query("q=a&page=2"), "q=a&page=2");
        assert_eq!(
            redaction.query("q=a&sig=x=y&X-Amz-Signature=1&&sig"),
            "q=a&sig=REDACTED&X-Amz-Signature=REDACTED&&sig"
        );
        assert_eq!(redaction.query("SIG=x"), "SIG=REDACTED");
        assert_eq!(redaction.query("s%69g=x&%=1"), "s%69g=REDACTED&%=1");
        assert_eq!(redaction.query("sig="), "sig=REDACTED");
    }

    #[test]
    fn a_service_names_keys_of_its_own() {
        let mut redaction = Redaction::default();
        redaction.add_keys(["tenant"]);
        assert_eq!(
            redaction.query("tenant=7&sig=1"),
            "tenant=REDACTED&sig=REDACTED"
        );
    }
}
