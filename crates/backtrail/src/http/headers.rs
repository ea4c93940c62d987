//! Headers that are recorded, by name.

use std::sync::Arc;

use ::http::HeaderMap;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::redact::{REDACTED, Redaction};

/// Headers whose values are never recorded, even if they are asked for.
const SECRET_HEADERS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// The list of the headers to record.
#[derive(Clone, Debug, Default)]
pub(super) struct HeaderCapture {
    headers: Vec<CapturedHeader>,
}

#[derive(Clone, Debug)]
struct CapturedHeader {
    name: String,
    key: Key,
    is_secret: bool,
}

impl HeaderCapture {
    /// Adds names; the attributes are `{prefix}.{name}`, the name in lower case.
    pub(super) fn add<N: AsRef<str>>(&mut self, prefix: &str, names: impl IntoIterator<Item = N>) {
        for name in names {
            let name = name.as_ref().to_ascii_lowercase();
            let key: Arc<str> = format!("{prefix}.{name}").into();
            self.headers.push(CapturedHeader {
                is_secret: SECRET_HEADERS.contains(&&*name),
                key: key.into(),
                name,
            });
        }
    }

    pub(super) fn of(
        &self,
        map: &HeaderMap,
        redaction: &Redaction,
    ) -> impl Iterator<Item = KeyValue> {
        self.attributes(redaction, |name| {
            let values = map.get_all(name).iter();
            values.map(|value| text(value.as_bytes())).collect()
        })
    }

    /// The attributes of those headers that are there. Several of one name are one list.
    pub(super) fn attributes(
        &self,
        redaction: &Redaction,
        values_of: impl Fn(&str) -> Vec<String>,
    ) -> impl Iterator<Item = KeyValue> {
        self.headers.iter().filter_map(move |header| {
            let values = values_of(&header.name).into_iter();
            let values: Vec<StringValue> = if header.is_secret {
                values.map(|_| REDACTED.into()).collect()
            } else {
                values
                    .map(|value| redaction.reference(value).into())
                    .collect()
            };
            let is_there = !values.is_empty();
            is_there.then(|| KeyValue::new(header.key.clone(), Value::Array(Array::String(values))))
        })
    }
}

/// A header's value as text. What is no UTF-8 is replaced.
pub(super) fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}
