//! JSON scalars as protobuf fields. Each `put_…` appends one field, or nothing for `null`.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::object::Context;
use crate::RejectReason;
use crate::protobuf::{
    put_bytes, put_double, put_fixed32, put_fixed64, put_int, put_str, put_uint,
};

/// The least integer above all `i64`, which a double can hold.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
/// The least integer above all `u64`.
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
/// Up to here a double has every integer.
const TWO_TO_53: f64 = 9_007_199_254_740_992.0;

/// A `string` field.
pub(super) fn put_text<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    map.next_value_seed(Text("a string", |text: &str| {
        put_str(out, number, text);
        Ok(())
    }))
}

/// A `bytes` field that OTLP writes as hexadecimal digits.
pub(super) fn put_id<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    context: Context<'_>,
    reason: RejectReason,
) -> Result<(), A::Error> {
    map.next_value_seed(Text("an id in hexadecimal digits", |text: &str| {
        // `Span::check` says which length is right; this one is only more than any id has.
        let mut id = [0; 64];
        let id = decode_hex(text, &mut id).inspect_err(|_| context.reason.set(reason))?;
        put_bytes(out, number, id);
        Ok(())
    }))
}

fn decode_hex<'i>(text: &str, id: &'i mut [u8; 64]) -> Result<&'i [u8], String> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    if !odd.is_empty() || pairs.len() > id.len() {
        return Err(format!("an id has {} hexadecimal digits", text.len()));
    }
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        let digits = char::from(*high)
            .to_digit(16)
            .zip(char::from(*low).to_digit(16));
        let Some((high, low)) = digits else {
            return Err(format!("id {text:?} is not hexadecimal"));
        };
        *byte = (high << 4 | low) as u8;
    }
    Ok(&id[..pairs.len()])
}

/// A `bytes` field.
pub(super) fn put_base64<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

    map.next_value_seed(Text("bytes in base64", |text: &str| {
        let url_safe = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
        let engine = if url_safe { URL_SAFE } else { STANDARD };
        let bytes = engine
            .decode(text)
            .map_err(|error| format!("bytes are not base64: {error}"))?;
        put_bytes(out, number, &bytes);
        Ok(())
    }))
}

/// A `bool` field.
pub(super) fn put_bool<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    if let Some(value) = map.next_value::<Option<bool>>()? {
        put_uint(out, number, u64::from(value));
    }
    Ok(())
}

/// A `double` field.
pub(super) fn put_float<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    if let Some(value) = map.next_value_seed(Double)? {
        put_double(out, number, value);
    }
    Ok(())
}

/// An `int64` field, of which a double is made as field `beyond` when the number does not fit.
pub(super) fn put_int64_or_double<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    beyond: u32,
) -> Result<(), A::Error> {
    let Some(value) = map.next_value_seed(Integer)? else {
        return Ok(());
    };
    match (value.as_i64(), value) {
        (Some(value), _) => put_int(out, number, value),
        (None, Number::Unsigned(value)) => put_double(out, beyond, value as f64),
        (None, Number::Float(value)) if value.abs() >= TWO_TO_63 => put_double(out, beyond, value),
        (None, value) => return Err(value.misfit("a 64-bit integer")),
    }
    Ok(())
}

/// A `fixed64` field.
pub(super) fn put_time<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    context: Context<'_>,
) -> Result<(), A::Error> {
    if let Some(value) = map.next_value_seed(Integer)? {
        let Some(time) = value.as_u64() else {
            return Err(context.fail(
                RejectReason::TimeOutOfRange,
                format_args!("time {value} is not in nanoseconds since 1970"),
            ));
        };
        put_fixed64(out, number, time);
    }
    Ok(())
}

/// A `uint32` field.
pub(super) fn put_count<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    if let Some(value) = next_u32(map)? {
        put_uint(out, number, u64::from(value));
    }
    Ok(())
}

/// A `fixed32` field.
pub(super) fn put_flags<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
) -> Result<(), A::Error> {
    if let Some(value) = next_u32(map)? {
        put_fixed32(out, number, value);
    }
    Ok(())
}

fn next_u32<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<u32>, A::Error> {
    let Some(value) = map.next_value_seed(Integer)? else {
        return Ok(None);
    };
    let narrow = value.as_u64().and_then(|value| u32::try_from(value).ok());
    narrow.map_or_else(
        || Err(value.misfit("a 32-bit count")),
        |value| Ok(Some(value)),
    )
}

/// An enum field.
pub(super) fn put_enum<'de, A: MapAccess<'de>>(
    map: &mut A,
    out: &mut Vec<u8>,
    number: u32,
    names: &'static [&'static str],
) -> Result<(), A::Error> {
    if let Some(value) = map.next_value_seed(Enum { names })? {
        put_int(out, number, i64::from(value));
    }
    Ok(())
}

/// Calls the function with a string; `null` is passed over. The first part says what the string is.
struct Text<F>(&'static str, F);

impl<'de, F: FnOnce(&str) -> Result<(), String>> DeserializeSeed<'de> for Text<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<F: FnOnce(&str) -> Result<(), String>> Visitor<'_> for Text<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.1)(text).map_err(E::custom)
    }
}

/// A JSON number, or a string that holds one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Unsigned(u64),
    /// The same, written as a string.
    Quoted(u64),
    Signed(i64),
    Float(f64),
}

impl Number {
    fn as_i64(self) -> Option<i64> {
        match self {
            Self::Unsigned(value) | Self::Quoted(value) => value.try_into().ok(),
            Self::Signed(value) => Some(value),
            Self::Float(value) => {
                let fits = value.fract() == 0.0 && (-TWO_TO_63..TWO_TO_63).contains(&value);
                fits.then_some(value as i64)
            }
        }
    }

    fn as_u64(self) -> Option<u64> {
        match self {
            Self::Unsigned(value) | Self::Quoted(value) => Some(value),
            Self::Signed(value) => value.try_into().ok(),
            Self::Float(value) => {
                let fits = value.fract() == 0.0 && (0.0..TWO_TO_64).contains(&value);
                fits.then_some(value as u64)
            }
        }
    }

    fn misfit<E: Error>(self, expected: &str) -> E {
        E::custom(format_args!("{self} is not {expected}"))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(value) | Self::Quoted(value) => value.fmt(f),
            Self::Signed(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
        }
    }
}

/// Reads an integer; `None` for `null`.
struct Integer;

impl<'de> DeserializeSeed<'de> for Integer {
    type Value = Option<Number>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Integer {
    type Value = Option<Number>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, or a string that holds one")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Number::Signed(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Number::Float(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let integer = (text.parse().map(Number::Quoted))
            .or_else(|_| text.parse().map(Number::Signed))
            .ok();
        // Text is taken at its word, so one that a double would round is no integer.
        let exact = || parse_float(text).filter(|value| value.abs() <= TWO_TO_53);
        match integer.or_else(|| exact().map(Number::Float)) {
            Some(number) => Ok(Some(number)),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// Reads a double; `None` for `null`.
struct Double;

impl<'de> DeserializeSeed<'de> for Double {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Double {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a string that holds one, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "NaN" => Ok(Some(f64::NAN)),
            "Infinity" => Ok(Some(f64::INFINITY)),
            "-Infinity" => Ok(Some(f64::NEG_INFINITY)),
            _ => match parse_float(text) {
                Some(value) => Ok(Some(value)),
                None => Err(E::invalid_value(Unexpected::Str(text), &self)),
            },
        }
    }
}

/// Rust reads more words as floats than JSON has.
fn parse_float(text: &str) -> Option<f64> {
    let first = text.strip_prefix('-').unwrap_or(text).bytes().next()?;
    let value = first.is_ascii_digit().then(|| text.parse::<f64>().ok())??;
    value.is_finite().then_some(value)
}

/// Reads an enum; `None` for `null`. The names stand in the order of their numbers.
struct Enum {
    names: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for Enum {
    type Value = Option<i32>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Enum {
    type Value = Option<i32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number or one of {}", self.names.join(", "))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        match i32::try_from(value) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match i32::try_from(value) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.names.iter().position(|name| *name == text) {
            Some(number) => Ok(Some(number as i32)),
            None => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}
