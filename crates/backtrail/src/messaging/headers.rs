//! Headers of messages.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use opentelemetry::propagation::{Extractor, Injector};

/// Headers that a context travels in. Names are compared as they are written: the propagators write them in lower case.
///
/// For a client's own type wrap it, and implement this.
pub trait Headers {
    /// The value of a header; nothing if it is not there, or no text.
    fn value(&self, name: &str) -> Option<&str>;

    /// The names of all headers.
    fn names(&self) -> Vec<&str>;

    /// Sets a header. One that is there under this name is replaced.
    fn set(&mut self, name: &str, value: String);
}

impl<S: BuildHasher> Headers for HashMap<String, String, S> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }

    fn set(&mut self, name: &str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

impl Headers for BTreeMap<String, String> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }

    fn set(&mut self, name: &str, value: String) {
        self.insert(name.to_owned(), value);
    }
}

/// As Kafka has them.
impl Headers for Vec<(String, Vec<u8>)> {
    fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }

    fn names(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn set(&mut self, name: &str, value: String) {
        self.retain(|(known, _)| known != name);
        self.push((name.to_owned(), value.into_bytes()));
    }
}

impl Headers for Vec<(String, String)> {
    fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    fn names(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn set(&mut self, name: &str, value: String) {
        self.retain(|(known, _)| known != name);
        self.push((name.to_owned(), value));
    }
}

/// Writes headers for a propagator.
pub(super) struct Write<'h, H: ?Sized>(pub(super) &'h mut H);

impl<H: Headers + ?Sized> Injector for Write<'_, H> {
    fn set(&mut self, key: &str, value: String) {
        self.0.set(key, value);
    }
}

/// Reads headers for a propagator.
pub(super) struct Read<'h, H: ?Sized>(pub(super) &'h H);

impl<H: Headers + ?Sized> Extractor for Read<'_, H> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.value(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.names()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_set_again_is_there_once() {
        let mut bytes = vec![("traceparent".to_owned(), b"\xff".to_vec())];
        assert_eq!(bytes.value("traceparent"), None);
        bytes.set("traceparent", "a".to_owned());
        assert_eq!(bytes.value("traceparent"), Some("a"));
        let mut text = vec![("b".to_owned(), "c".to_owned())];
        text.set("b", "d".to_owned());
        assert_eq!((text.names(), text.value("b")), (vec!["b"], Some("d")));
        let mut map = BTreeMap::new();
        Headers::set(&mut map, "e", "f".to_owned());
        assert_eq!((map.names(), map.value("e")), (vec!["e"], Some("f")));
    }
}
