//! The JSON values that Zipkin's spans are made of. `null` is taken for what is not there.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::{Fault, PlacedFault};
use crate::json::detail;

pub(super) type Result<T> = std::result::Result<T, PlacedFault>;

/// Calls `read` with each member of an object, with its place on what goes wrong.
pub(super) fn members<'a>(
    json: &'a RawValue,
    read: impl FnMut(&Cow<'a, str>, &'a RawValue) -> Result<()>,
) -> Result<()> {
    expect(json, '{', "an object")?;
    let mut fault = None;
    let visitor = Members {
        read,
        fault: &mut fault,
    };
    let mut reader = serde_json::Deserializer::from_str(json.get());
    let done = reader.deserialize_map(visitor);
    end(done, fault)
}

/// Calls `read` with each element of a list and its index.
pub(super) fn elements<'a>(
    json: &'a RawValue,
    read: impl FnMut(usize, &'a RawValue) -> Result<()>,
) -> Result<()> {
    expect(json, '[', "a list")?;
    let mut fault = None;
    let visitor = Elements {
        read,
        fault: &mut fault,
    };
    let mut reader = serde_json::Deserializer::from_str(json.get());
    let done = reader.deserialize_seq(visitor);
    end(done, fault)
}

fn end(done: serde_json::Result<()>, fault: Option<PlacedFault>) -> Result<()> {
    match (fault, done) {
        (Some(fault), _) => Err(fault),
        (None, Err(error)) => Err(Fault::Json(detail(&error)).into()),
        (None, Ok(())) => Ok(()),
    }
}

struct Members<'f, F> {
    read: F,
    /// `serde`'s errors are text: the fault itself goes beside them.
    fault: &'f mut Option<PlacedFault>,
}

impl<'de, F> Visitor<'de> for Members<'_, F>
where
    F: FnMut(&Cow<'de, str>, &'de RawValue) -> Result<()>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value::<&RawValue>()?;
            if is_null(value) {
                continue;
            }
            if let Err(fault) = (self.read)(&name, value) {
                let shown: String = name.chars().take(80).collect();
                *self.fault = Some(fault.within(format_args!(".{shown}")));
                return Err(A::Error::custom("see beside"));
            }
        }
        Ok(())
    }
}

struct Elements<'f, F> {
    read: F,
    fault: &'f mut Option<PlacedFault>,
}

impl<'de, F: FnMut(usize, &'de RawValue) -> Result<()>> Visitor<'de> for Elements<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> std::result::Result<(), A::Error> {
        let mut index = 0;
        while let Some(value) = list.next_element::<&RawValue>()? {
            if let Err(fault) = (self.read)(index, value) {
                *self.fault = Some(fault.within(format_args!("[{index}]")));
                return Err(A::Error::custom("see beside"));
            }
            index += 1;
        }
        Ok(())
    }
}

/// A string, borrowed unless it has escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        json: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

fn expect(json: &RawValue, first: char, expected: &'static str) -> Result<()> {
    if json.get().starts_with(first) {
        return Ok(());
    }
    Err(wrong_type(json, expected))
}

fn wrong_type(json: &RawValue, expected: &'static str) -> PlacedFault {
    let found = json.get().chars().take(80).collect();
    Fault::Type { found, expected }.into()
}

/// A string.
pub(super) fn text(json: &RawValue) -> Result<Cow<'_, str>> {
    expect(json, '"', "a string")?;
    let mut reader = serde_json::Deserializer::from_str(json.get());
    let text = Text.deserialize(&mut reader);
    text.map_err(|error| Fault::Json(detail(&error)).into())
}

/// A string; anything else as it is written.
pub(super) fn text_of_any(json: &RawValue) -> Result<Cow<'_, str>> {
    if json.get().starts_with('"') {
        return text(json);
    }
    Ok(Cow::Borrowed(json.get()))
}

/// `true` or `false`, also as a string.
pub(super) fn boolean(json: &RawValue) -> Result<bool> {
    match &*text_of_any(json)? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong_type(json, "true or false")),
    }
}

/// A whole number, also as a string. What a number has after its point is cut off: it is less than anything here is counted in.
pub(super) fn integer(json: &RawValue) -> Result<i64> {
    let text = text_of_any(json)?;
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let double = text.parse::<f64>().ok();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    // Beyond 2^63 a double is as far out of any range as the nearest integer.
    double
        .filter(|_| is_number)
        .map(|double| double as i64)
        .ok_or_else(|| wrong_type(json, "a whole number"))
}

/// Microseconds. What is below zero is not there.
pub(super) fn micros(json: &RawValue) -> Result<u64> {
    Ok(integer(json)?.max(0) as u64)
}
