//! Headers that are recorded, by name.

use std::sync::Arc;

use ::http::HeaderMap;
use opentelemetry::{Array, Key, KeyValue, StringValue, Value};

use super::redact::REDACTED;

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

    pub(super) fn of(&self, map: &HeaderMap) -> impl Iterator<Item = KeyValue> {
        self.attributes(|name| {
            let values = map.get_all(name).iter();
            values.map(|value| text(value.as_bytes())).collect()
        })
    }

    /// The attributes of those headers that are there. Several of one name are one list.
    pub(super) fn attributes(
        &self,
        values_of: impl Fn(&str) -> Vec<StringValue>,
    ) -> impl Iterator<Item = KeyValue> {
        self.headers.iter().filter_map(move |header| {
            let mut values = values_of(&header.name);
            if header.is_secret {
                values.fill(StringValue::from(REDACTED));
            }
            let value = Value::Array(Array::String(values));
            let is_there = !matches!(&value, Value::Array(Array::String(list)) if list.is_empty());
            is_there.then(|| KeyValue::new(header.key.clone(), value))
        })
    }
}

/// A header's value as text. What is no UTF-8 is replaced.
pub(super) fn text(value: &[u8]) -> StringValue {
    String::from_utf8_lossy(value).into_owned().into()
}
