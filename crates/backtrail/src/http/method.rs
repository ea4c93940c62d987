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

impl<'a> KnownMethod<'a> {
    pub(super) fn of(method: &'a str) -> Self {
        let name = match method {
            "CONNECT" => "CONNECT",
            "DELETE" => "DELETE",
            "GET" => "GET",
            "HEAD" => "HEAD",
            "OPTIONS" => "OPTIONS",
            "PATCH" => "PATCH",
            "POST" => "POST",
            "PUT" => "PUT",
            "QUERY" => "QUERY",
            "TRACE" => "TRACE",
            _ => {
                return Self {
                    name: OTHER,
                    original: Some(method),
                };
            }
        };
        Self {
            name,
            original: None,
        }
    }

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
