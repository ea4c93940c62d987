//! Methods, as far as they are known (semantic conventions 1.42, `http.request.method`).

use opentelemetry::KeyValue;

const OTHER: &str = "_OTHER";

/// A request's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownMethod<'a> {
    name: &'static str,
    /// Only if the method is not known: anybody can invent a method, and the name of a span is of few kinds.
    original: Option<&'a str>,
}

/// The methods that a service knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Methods(&'static [&'static str]);

impl Default for Methods {
    /// Those of RFC 9110, `PATCH` (RFC 5789) and `QUERY`.
    fn default() -> Self {
        Self(&[
            "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "CONNECT", "TRACE",
        ])
    }
}

impl Methods {
    pub(super) fn only(names: &'static [&'static str]) -> Self {
        Self(names)
    }

    pub(super) fn find<'a>(&self, method: &'a str) -> KnownMethod<'a> {
        let known = self.0.iter().find(|known| **known == method);
        match known {
            Some(name) => KnownMethod {
                name,
                original: None,
            },
            None => KnownMethod {
                name: OTHER,
                original: Some(method),
            },
        }
    }
}

impl KnownMethod<'_> {
    /// What the name of a span begins with.
    pub(super) fn in_span_name(self) -> &'static str {
        if self.name == OTHER {
            "HTTP"
        } else {
            self.name
        }
    }

    pub(super) fn append_to(self, attributes: &mut Vec<KeyValue>, with_old_names: bool) {
        attributes.push(KeyValue::new("http.request.method", self.name));
        if let Some(original) = self.original {
            let original = original.to_owned();
            attributes.push(KeyValue::new("http.request.method_original", original));
        }
        if with_old_names {
            attributes.push(KeyValue::new("http.method", self.name));
        }
    }
}
