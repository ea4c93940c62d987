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

/// Writes an attribute at the beginning of `out` as [`put_attribute`] appends it, and tells in how many bytes. It writes nothing when there is not
/// room enough, when the message takes 128 bytes or more, and for values that are neither text nor a number nor a bool: that is left to [`put_attribute`].
///
/// For those who write one attribute after the other into a buffer that is there: what is short is copied without a call.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it is called where the type of the value is known, by which most of it goes away"
)]
pub fn write_short_attribute(
    out: &mut [u8],
    number: u32,
    key: &str,
    value: &AnyValue<'_>,
) -> Option<usize> {
    if number >= FIRST_LONG_NUMBER {
        return None;
    }
    let len = 2 + short_len(key, value)?;
    write_short(out.get_mut(..len)?, number, key, value);
    Some(len)
}

/// How long the attribute's message is, if that takes one byte to say.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn short_len(key: &str, value: &AnyValue<'_>) -> Option<usize> {
    if key.len() >= 0x80 {
        return None;
    }
    let value_len = match value {
        AnyValue::String(text) if text.len() < 0x80 => 2 + text.len(),
        AnyValue::Int(value) => 1 + varint_len(*value as u64),
        AnyValue::Bool(_) => 2,
        AnyValue::Double(_) => 9,
        _ => return None,
    };
    let len = 4 + key.len() + value_len;
    (len < 0x80).then_some(len)
}

/// Writes an attribute that [`short_len`] knows into `out`, which is as long.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn write_short(out: &mut [u8], number: u32, key: &str, value: &AnyValue<'_>) {
    let text = match value {
        AnyValue::String(text) => Some(text.as_bytes()),
        _ => None,
    };
    let value_len = match value {
        AnyValue::Int(value) => 1 + varint_len(*value as u64),
        AnyValue::Bool(_) => 2,
        AnyValue::Double(_) => 9,
        _ => 2 + text.map_or(0, <[u8]>::len),
    };
    let len = 4 + key.len() + value_len;
    let tag = (number << 3 | 2) as u8;
    let out = write(out, &[tag, len as u8, KEY_TAG, key.len() as u8]);
    let out = write(out, key.as_bytes());
    if let Some(text) = text {
        let head = [VALUE_TAG, value_len as u8, STRING_TAG, text.len() as u8];
        write(write(out, &head), text);
        return;
    }
    let out = write(out, &[VALUE_TAG, value_len as u8]);
    match value {
        AnyValue::Int(value) => write_varint(write(out, &[3 << 3]), *value as u64),
        AnyValue::Bool(value) => _ = write(out, &[2 << 3, u8::from(*value)]),
        AnyValue::Double(value) => _ = write(write(out, &[4 << 3 | 1]), &value.to_le_bytes()),
        _ => {}
    }
}

/// Writes a varint into `out`, which is as long.
#[inline]
fn write_varint(out: &mut [u8], mut value: u64) {
    for byte in out {
        *byte = if value < 0x80 {
            value as u8
        } else {
            value as u8 | 0x80
        };
        value >>= 7;
    }
}

/// Copies bytes to the beginning of `out`, where there is room for them, and returns the rest.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a call is what it saves, and it is called where the length is known too"
)]
fn write<'b>(out: &'b mut [u8], bytes: &[u8]) -> &'b mut [u8] {
    let Some((place, rest)) = out.split_at_mut_checked(bytes.len()) else {
        return &mut [];
    };
    // A text of 9 bytes is its first 8 and its last 8, and so on.
    let is_copied = copy_ends::<32>(place, bytes)
        || copy_ends::<16>(place, bytes)
        || copy_ends::<8>(place, bytes)
        || copy_ends::<4>(place, bytes)
        || copy_ends::<2>(place, bytes);
    if !is_copied {
        place.copy_from_slice(bytes);
    }
    rest
}

/// Copies bytes that are the first `N` and the last `N` of them.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn copy_ends<const N: usize>(place: &mut [u8], bytes: &[u8]) -> bool {
    if bytes.len() > 2 * N {
        return false;
    }
    let (Some(first), Some(last)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
        return false;
    };
    if let Some(place) = place.first_chunk_mut() {
        *place = *first;
    }
    if let Some(place) = place.last_chunk_mut() {
        *place = *last;
    }
    true
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

    #[test]
    fn a_short_attribute_is_written_as_it_is_appended_or_not_at_all() {
        let long = "0123456789".repeat(20);
        for len in (0..130).chain([199]) {
            let text = &long[..len];
            let values = [
                AnyValue::Empty,
                AnyValue::String(text),
                AnyValue::Bool(true),
                AnyValue::Bool(false),
                AnyValue::Int(0),
                AnyValue::Int(-1),
                AnyValue::Int(i64::MAX >> (len % 63)),
                AnyValue::Double(-0.5),
                AnyValue::Bytes(text.as_bytes()),
            ];
            for value in values {
                for key in ["", "http.route", text] {
                    let mut expected = Vec::new();
                    put_attribute(&mut expected, 9, key, value);
                    let is_plain = !matches!(value, AnyValue::Empty | AnyValue::Bytes(_));
                    let is_short = is_plain && expected.len() < 2 + 0x80;
                    let mut out = [0xaa; 500];
                    let written = write_short_attribute(&mut out, 9, key, &value);
                    let is_whole = is_short.then_some(expected.len());
                    assert_eq!(written, is_whole, "{key:?} {value:?}");
                    let written = written.unwrap_or_default();
                    assert_eq!(out[..written], expected[..written], "{key:?} {value:?}");
                    assert!(out[written..].iter().all(|byte| *byte == 0xaa));
                    let room = &mut out[..expected.len() - 1];
                    assert_eq!(write_short_attribute(room, 9, key, &value), None);
                    assert_eq!(write_short_attribute(&mut out, 16, key, &value), None);
                }
            }
        }
    }
}
