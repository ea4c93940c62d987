//! Writes an attribute whose lengths are reckoned first, for those who write many.

use crate::otlp::{AnyValue, put_any_value};
use crate::protobuf::{put_len, put_str, varint_len};

/// The tag of field `number` fits in one byte below this one.
const FIRST_LONG_NUMBER: u32 = 16;

/// Appends one attribute as field `number` of the message that is being written: the bytes of
/// [`put_key_value`](super::put_key_value). Lengths are reckoned before anything is written instead of being filled in
/// afterwards.
#[inline]
pub fn put_attribute(out: &mut Vec<u8>, number: u32, key: &str, value: AnyValue<'_>) {
    let value_len = any_value_len(&value);
    let len = bytes_field_len(key.len()) + bytes_field_len(value_len);
    if len < 0x80 && number < FIRST_LONG_NUMBER {
        // Every length below is shorter, and takes one byte as well.
        let tag = (number << 3 | 2) as u8;
        out.extend_from_slice(&[tag, len as u8, KEY_TAG, key.len() as u8]);
        out.extend_from_slice(key.as_bytes());
        if let AnyValue::String(text) = value {
            let lens = [value_len as u8, text.len() as u8];
            out.extend_from_slice(&[VALUE_TAG, lens[0], STRING_TAG, lens[1]]);
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.extend_from_slice(&[VALUE_TAG, value_len as u8]);
    } else {
        put_len(out, number, len);
        put_str(out, 1, key);
        put_len(out, 2, value_len);
    }
    put_any_value(out, value);
}

/// `KeyValue.key`, `KeyValue.value` and `AnyValue.string_value`, of wire type 2.
const KEY_TAG: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 2 << 3 | 2;
const STRING_TAG: u8 = 1 << 3 | 2;

/// How many bytes an `AnyValue` message takes.
#[inline]
fn any_value_len(value: &AnyValue<'_>) -> usize {
    match value {
        AnyValue::Empty => 0,
        AnyValue::String(text) => bytes_field_len(text.len()),
        AnyValue::Bool(_) => 2,
        AnyValue::Int(value) => 1 + varint_len(*value as u64),
        AnyValue::Double(_) => 9,
        AnyValue::Array(array) => bytes_field_len(array.as_bytes().len()),
        AnyValue::Map(map) => bytes_field_len(map.as_bytes().len()),
        AnyValue::Bytes(bytes) => bytes_field_len(bytes.len()),
    }
}

/// How many bytes a field of `len` bytes takes, tag and length included, whose number is below 16.
#[inline]
const fn bytes_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::{ArrayValue, Attributes, put_key_value};

    #[test]
    fn an_attribute_is_written_as_when_its_lengths_are_filled_in() {
        let long = "x".repeat(20_000);
        for len in [0, 1, 100, 119, 120, 121, 127, 128, 129, 16_383, 20_000] {
            let text = &long[..len];
            let bytes = text.as_bytes();
            let values = [
                AnyValue::Empty,
                AnyValue::String(text),
                AnyValue::Bool(true),
                AnyValue::Int(0),
                AnyValue::Int(-1),
                AnyValue::Int(i64::MAX >> (len % 60)),
                AnyValue::Double(-0.5),
                AnyValue::Bytes(bytes),
                AnyValue::Array(ArrayValue::new(bytes)),
                AnyValue::Map(Attributes::new(bytes)),
            ];
            for value in values {
                for key in ["", "http.route", text] {
                    for number in [1, 9, 16, 3000] {
                        let (mut out, mut expected) = (vec![0xaa], vec![0xaa]);
                        put_attribute(&mut out, number, key, value);
                        put_key_value(&mut expected, number, key, value);
                        assert!(out == expected, "{number} {key:?} {value:?}");
                    }
                }
            }
        }
    }
}
