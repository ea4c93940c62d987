//! Writes JSON, and says what is wrong with the JSON that is read.

use std::fmt;
use std::io::Write as _;

use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::WireError;

/// A request that is not JSON of the shape that it should have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is not UTF-8, which JSON must be.
    #[error("not UTF-8 at byte {offset}")]
    Utf8 {
        /// Of the first byte that does not fit.
        offset: usize,
    },
    /// It is not JSON, or not of the shape of a request.
    #[error("line {line}, column {column}: {detail}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
        /// What is wrong.
        detail: String,
    },
}

impl JsonError {
    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        Self::Syntax {
            line: error.line(),
            column: error.column(),
            detail: detail(error),
        }
    }
}

/// The text of a request.
pub(crate) fn json_text(json: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(json).map_err(|error| JsonError::Utf8 {
        offset: error.valid_up_to(),
    })
}

/// Calls `each` with the elements of a list, unread, and their indexes. An empty text is an empty list.
pub(crate) fn for_each<'a>(
    json: &'a [u8],
    each: impl FnMut(usize, &'a RawValue),
) -> Result<(), JsonError> {
    struct Elements<F>(F);

    impl<'de, F: FnMut(usize, &'de RawValue)> Visitor<'de> for Elements<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of spans")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            let mut index = 0;
            while let Some(element) = list.next_element()? {
                (self.0)(index, element);
                index += 1;
            }
            Ok(())
        }
    }

    let json = json_text(json)?;
    if json.trim_ascii().is_empty() {
        return Ok(());
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    reader
        .deserialize_seq(Elements(each))
        .and_then(|()| reader.end())
        .map_err(|error| JsonError::syntax(&error))
}

/// What an error says without its line and column, which count from the start of a part of the request.
pub(crate) fn detail(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    if text.ends_with(&position) {
        text.truncate(text.len() - position.len());
    }
    text
}

/// A JSON object that is being written; names are ours and need no escapes.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    /// Writes a member's name; the caller writes its value.
    pub(crate) fn value(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn object(&mut self, name: &str) -> Object<'_> {
        Object::begin(self.value(name))
    }

    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        elements: impl Iterator<Item = T>,
        put: impl Fn(&mut Vec<u8>, T) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let out = self.value(name);
        out.push(b'[');
        for (index, element) in elements.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            put(out, element)?;
        }
        out.push(b']');
        Ok(())
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        put_string(self.value(name), text);
    }

    pub(crate) fn text_unless_empty(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    pub(crate) fn id(&mut self, name: &str, id: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let out = self.value(name);
        out.push(b'"');
        for byte in id {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
        out.push(b'"');
    }

    pub(crate) fn number(&mut self, name: &str, value: impl fmt::Display) {
        put_display(self.value(name), value);
    }

    pub(crate) fn count(&mut self, name: &str, value: u32) {
        if value != 0 {
            self.number(name, value);
        }
    }

    pub(crate) fn quoted(&mut self, name: &str, value: impl fmt::Display) {
        let out = self.value(name);
        out.push(b'"');
        put_display(out, value);
        out.push(b'"');
    }

    pub(crate) fn double(&mut self, name: &str, value: f64) {
        if value.is_finite() {
            // `Debug` is the short form that reads back as the same double, with an exponent where `Display` has 300 zeros.
            self.number(name, format_args!("{value:?}"));
        } else if value.is_nan() {
            self.text(name, "NaN");
        } else {
            self.text(name, if value > 0.0 { "Infinity" } else { "-Infinity" });
        }
    }
}

#[expect(clippy::expect_used, reason = "writing to a Vec can't fail")]
pub(crate) fn put_display(out: &mut Vec<u8>, value: impl fmt::Display) {
    write!(out, "{value}").expect("a Vec takes everything");
}

pub(crate) fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || matches!(c, '"' | '\\')) {
        let (plain, escaped) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        match escaped.as_bytes()[0] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => put_display(out, format_args!("\\u{control:04x}")),
        }
        rest = &escaped[1..];
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}
