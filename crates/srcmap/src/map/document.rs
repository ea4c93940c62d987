//! The JSON of a source map, taken apart but not yet understood: what type a field has is the reader's business.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::limits::MapError;

/// A JSON value that is known to be well-formed.
pub(super) type Value<'a> = &'a RawValue;

/// The fields of a source map. Of a field that is there twice the last one counts, as in `JSON.parse`.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub(super) version: Option<Value<'a>>,
    pub(super) file: Option<Value<'a>>,
    pub(super) source_root: Option<Value<'a>>,
    pub(super) sources: Option<Value<'a>>,
    pub(super) sources_content: Option<Value<'a>>,
    pub(super) names: Option<Value<'a>>,
    pub(super) mappings: Option<Value<'a>>,
    pub(super) ignore_list: Option<Value<'a>>,
    pub(super) google_ignore_list: Option<Value<'a>>,
    /// `debugId`, as the proposal writes it.
    pub(super) debug_id: Option<Value<'a>>,
    /// `debug_id`, as older tools write it.
    pub(super) old_debug_id: Option<Value<'a>>,
    pub(super) sections: Option<Value<'a>>,
    /// Fields of a section of an index map.
    pub(super) offset: Option<Value<'a>>,
    pub(super) map: Option<Value<'a>>,
    /// Fields of a section's offset.
    pub(super) line: Option<Value<'a>>,
    pub(super) column: Option<Value<'a>>,
}

/// The text of a map without what servers put in front of it: a byte order mark, and the line `)]}'` that keeps it from being run as a script.
pub(super) fn text_of(json: &[u8]) -> Result<&str, MapError> {
    let text = std::str::from_utf8(json).map_err(|error| MapError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(rest) = text.strip_prefix(")]}'") else {
        return Ok(text);
    };
    // Without a line of its own, the prefix is no more than its four characters.
    Ok(match memchr::memchr(b'\n', rest.as_bytes()) {
        Some(end) if !rest[..end].contains('{') => &rest[end + 1..],
        _ => rest,
    })
}

/// The fields of the object that `text` is.
pub(super) fn read(text: &str) -> Result<Document<'_>, MapError> {
    if !text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with('{')
    {
        // What is no object may be no JSON either, which is worth saying first.
        return Err(match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => MapError::NotAnObject,
            Err(error) => not_json(&error),
        });
    }
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

/// The fields of `value`, unless it is no object.
pub(super) fn object(value: Value<'_>) -> Option<Document<'_>> {
    is_object(value)
        .then(|| serde_json::from_str(value.get()).ok())
        .flatten()
}

pub(super) fn is_object(value: Value<'_>) -> bool {
    value.get().starts_with('{')
}

pub(super) fn is_null(value: Value<'_>) -> bool {
    value.get() == "null"
}

/// The string that `value` is, unless it is none. Half a surrogate pair, which only UTF-16 can hold, becomes U+FFFD: the columns behind it stay right.
pub(super) fn string(value: Value<'_>) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    match serde_json::from_str::<String>(value.get()) {
        Ok(text) => Some(Cow::Owned(text)),
        Err(_) => serde_json::from_str::<AnyUtf16>(value.get())
            .ok()
            .map(|text| Cow::Owned(text.0)),
    }
}

/// The number that `value` is, if it is an integer that is not negative.
pub(super) fn index(value: Value<'_>) -> Option<u64> {
    match integer(value)? {
        (false, magnitude) => Some(magnitude),
        (true, _) => None,
    }
}

/// The number that `value` is, if it is an integer: whether it has a minus, and its size. `1.0` and `1e2` are integers too.
pub(super) fn integer(value: Value<'_>) -> Option<(bool, u64)> {
    let text = value.get();
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if let Ok(magnitude) = digits.parse::<u64>() {
        return Some((is_negative, magnitude));
    }
    let number: f64 = digits.parse().ok()?;
    // Beyond this, doubles are no longer exact.
    (number.fract() == 0.0 && number <= 9_007_199_254_740_991.0)
        .then_some((is_negative, number as u64))
}

/// What became of a list.
pub(super) enum List<'a> {
    Items(Vec<Value<'a>>),
    /// More items than allowed.
    TooLong,
    /// No list at all.
    Other,
}

/// The items of the array that `value` is, at most `limit`.
pub(super) fn list(value: Value<'_>, limit: usize) -> List<'_> {
    if !value.get().starts_with('[') {
        return List::Other;
    }
    let mut deserializer = serde_json::Deserializer::from_str(value.get());
    match deserializer.deserialize_seq(Items { limit }) {
        Ok(items) => List::Items(items),
        // The value is known to be an array: nothing else can go wrong.
        Err(_) => List::TooLong,
    }
}

fn not_json(error: &serde_json::Error) -> MapError {
    MapError::NotJson {
        reason: error.to_string(),
    }
}

struct Items {
    limit: usize,
}

impl<'de> Visitor<'de> for Items {
    type Value = Vec<Value<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            if items.len() == self.limit {
                return Err(A::Error::custom("too many items"));
            }
            items.push(item);
        }
        Ok(items)
    }
}

impl<'de> serde::Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Document<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut document = Document::default();
                while let Some(AnyUtf16(key)) = access.next_key()? {
                    match document.field(&key) {
                        Some(field) => *field = Some(access.next_value()?),
                        None => {
                            access.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(document)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'a> Document<'a> {
    fn field(&mut self, key: &str) -> Option<&mut Option<Value<'a>>> {
        Some(match key {
            "version" => &mut self.version,
            "file" => &mut self.file,
            "sourceRoot" => &mut self.source_root,
            "sources" => &mut self.sources,
            "sourcesContent" => &mut self.sources_content,
            "names" => &mut self.names,
            "mappings" => &mut self.mappings,
            "ignoreList" => &mut self.ignore_list,
            "x_google_ignoreList" => &mut self.google_ignore_list,
            "debugId" => &mut self.debug_id,
            "debug_id" => &mut self.old_debug_id,
            "sections" => &mut self.sections,
            "offset" => &mut self.offset,
            "map" => &mut self.map,
            "line" => &mut self.line,
            "column" => &mut self.column,
            _ => return None,
        })
    }
}

/// A JSON string that may hold halves of surrogate pairs, as JavaScript's may.
struct AnyUtf16(String);

impl<'de> serde::Deserialize<'de> for AnyUtf16 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = AnyUtf16;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<AnyUtf16, E> {
                Ok(AnyUtf16(without_halves(bytes)))
            }
        }

        // Asked for bytes, serde_json gives such halves in the three bytes that UTF-8 would use if it could.
        deserializer.deserialize_bytes(Bytes)
    }
}

fn without_halves(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(valid));
                text.push('\u{fffd}');
                bytes = rest.get(3..).unwrap_or_default();
            }
        }
    }
}
