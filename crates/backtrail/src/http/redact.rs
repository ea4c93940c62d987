//! Which query values a layer redacts.

use std::borrow::Cow;
use std::sync::Arc;

use crate::redact;
pub(super) use crate::redact::REDACTED;

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
        redact::query(query, &self.more_keys)
    }

    /// The value of a header without what is secret in it, if it is a URL or part of one.
    pub(super) fn reference(&self, text: String) -> String {
        redact::reference(text, &self.more_keys)
    }

    /// Text without what is secret in the URLs in it.
    pub(super) fn urls_in(&self, text: String) -> String {
        redact::urls_and_keys_in(text, &self.more_keys)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::SENSITIVE_KEYS;

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
