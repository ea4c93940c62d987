//! `KeyValueList`, `KeyValue` and `AnyValue`.

use super::span::repeated;
use crate::WireError;
use crate::protobuf::{Fields, put_bytes, put_double, put_int, put_message, put_str, put_uint};

/// An attribute list: the bytes of a `KeyValueList` message (field 1, repeated `KeyValue`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// Views the bytes of a `KeyValueList`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes of the `KeyValueList`.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is no attribute at all.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The attributes in the order in which they were sent, duplicates included.
    pub fn iter(&self) -> impl Iterator<Item = Result<KeyValue<'a>, WireError>> + use<'a> {
        self.raw_entries().map(|entry| KeyValue::parse(entry?))
    }

    /// The bytes of each `KeyValue`, unread.
    pub fn raw_entries(&self) -> impl Iterator<Item = Result<&'a [u8], WireError>> + use<'a> {
        Fields::new(self.bytes).filter_map(|field| match field {
            Ok(field) if field.number == 1 => Some(field.bytes()),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// The value of the first attribute named `key`.
    pub fn get(&self, key: &str) -> Option<AnyValue<'a>> {
        self.iter()
            .map_while(Result::ok)
            .find(|kv| kv.key == key)
            .map(|kv| kv.value)
    }

    /// Reads everything once, so that later reads can't fail: framing, UTF-8, and at most `max_depth` levels of nesting.
    pub fn validate(&self, max_depth: usize) -> Result<(), WireError> {
        validate_list(self.bytes, max_depth, max_depth)
    }
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeyValue<'a> {
    /// The key; may be empty.
    pub key: &'a str,
    /// The value; [`AnyValue::Empty`] also when the message has none.
    pub value: AnyValue<'a>,
    /// The bytes of the `KeyValue` message.
    pub raw: &'a [u8],
}

impl<'a> KeyValue<'a> {
    /// Reads the bytes of a `KeyValue`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut key = "";
        let mut value = AnyValue::Empty;
        for field in Fields::new(raw) {
            let field = field?;
            match field.number {
                1 => key = field.str()?,
                2 => value = AnyValue::parse(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(Self { key, value, raw })
    }
}

/// An attribute value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AnyValue<'a> {
    /// No value: OTLP's "empty".
    Empty,
    /// `string_value`.
    String(&'a str),
    /// `bool_value`.
    Bool(bool),
    /// `int_value`.
    Int(i64),
    /// `double_value`.
    Double(f64),
    /// `array_value`.
    Array(ArrayValue<'a>),
    /// `kvlist_value`.
    Map(Attributes<'a>),
    /// `bytes_value`.
    Bytes(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    /// Reads the bytes of an `AnyValue`. Nested values are read when they are iterated.
    pub fn parse(raw: &'a [u8]) -> Result<Self, WireError> {
        let mut value = AnyValue::Empty;
        for field in Fields::new(raw) {
            let field = field?;
            value = match field.number {
                1 => AnyValue::String(field.str()?),
                2 => AnyValue::Bool(field.varint()? != 0),
                3 => AnyValue::Int(field.varint()? as i64),
                4 => AnyValue::Double(f64::from_bits(field.fixed64()?)),
                5 => AnyValue::Array(ArrayValue {
                    bytes: field.bytes()?,
                }),
                6 => AnyValue::Map(Attributes::new(field.bytes()?)),
                7 => AnyValue::Bytes(field.bytes()?),
                _ => value,
            };
        }
        Ok(value)
    }
}

/// An `ArrayValue` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayValue<'a> {
    bytes: &'a [u8],
}

impl<'a> ArrayValue<'a> {
    /// Views the bytes of an `ArrayValue` message (field 1, repeated `AnyValue`).
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The bytes of the `ArrayValue`.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The values in their order.
    pub fn iter(&self) -> impl Iterator<Item = Result<AnyValue<'a>, WireError>> + use<'a> {
        Fields::new(self.bytes).filter_map(|field| match field {
            Ok(field) if field.number == 1 => Some(field.bytes().and_then(AnyValue::parse)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }
}

/// The attributes that are field `number` of a message, in their order.
pub fn attributes_of(
    message: &[u8],
    number: u32,
) -> impl Iterator<Item = Result<KeyValue<'_>, WireError>> {
    repeated(message, number).map(|field| KeyValue::parse(field?.bytes()?))
}

/// As [`Attributes::validate`], for the attributes that are field `number` of `message`.
pub(super) fn validate_field(
    message: &[u8],
    number: u32,
    max_depth: usize,
) -> Result<(), WireError> {
    for field in Fields::new(message) {
        let field = field?;
        if field.number == number {
            let attribute = KeyValue::parse(field.bytes()?)?;
            validate_value(attribute.value, max_depth, max_depth)?;
        }
    }
    Ok(())
}

/// Reads the bytes of an `AnyValue` once, so that later reads can't fail.
pub(super) fn validate_any_value(raw: &[u8], max_depth: usize) -> Result<(), WireError> {
    validate_value(AnyValue::parse(raw)?, max_depth, max_depth)
}

fn validate_list(bytes: &[u8], depth: usize, max_depth: usize) -> Result<(), WireError> {
    for entry in Attributes::new(bytes).raw_entries() {
        validate_value(KeyValue::parse(entry?)?.value, depth, max_depth)?;
    }
    Ok(())
}

/// `depth` counts the levels that are left.
fn validate_value(value: AnyValue<'_>, depth: usize, max_depth: usize) -> Result<(), WireError> {
    let deeper = || {
        depth
            .checked_sub(1)
            .ok_or(WireError::TooDeep { limit: max_depth })
    };
    match value {
        AnyValue::Array(array) => {
            let depth = deeper()?;
            array
                .iter()
                .try_for_each(|value| validate_value(value?, depth, max_depth))
        }
        AnyValue::Map(map) => validate_list(map.as_bytes(), deeper()?, max_depth),
        _ => Ok(()),
    }
}

/// Appends one attribute to a `KeyValueList` (or as field `number` of another message).
pub fn put_key_value(out: &mut Vec<u8>, number: u32, key: &str, value: AnyValue<'_>) {
    put_message(out, number, |kv| {
        put_str(kv, 1, key);
        put_message(kv, 2, |any| put_any_value(any, value));
    });
}

/// Appends the field of an `AnyValue` message that holds `value`.
pub fn put_any_value(out: &mut Vec<u8>, value: AnyValue<'_>) {
    match value {
        AnyValue::Empty => {}
        AnyValue::String(value) => put_str(out, 1, value),
        AnyValue::Bool(value) => put_uint(out, 2, u64::from(value)),
        AnyValue::Int(value) => put_int(out, 3, value),
        AnyValue::Double(value) => put_double(out, 4, value),
        AnyValue::Array(value) => put_bytes(out, 5, value.bytes),
        AnyValue::Map(value) => put_bytes(out, 6, value.as_bytes()),
        AnyValue::Bytes(value) => put_bytes(out, 7, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_order_are_kept() {
        let mut list = Vec::new();
        put_key_value(&mut list, 1, "a", AnyValue::Int(-5));
        put_key_value(&mut list, 1, "a", AnyValue::Empty);
        put_key_value(&mut list, 1, "", AnyValue::Bytes(&[0xff]));
        let read: Vec<_> = Attributes::new(&list)
            .iter()
            .map(|kv| kv.map(|kv| (kv.key, kv.value)).unwrap())
            .collect();
        let expected = [
            ("a", AnyValue::Int(-5)),
            ("a", AnyValue::Empty),
            ("", AnyValue::Bytes(&[0xff])),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn nesting_has_a_limit() {
        let mut value = Vec::new();
        put_any_value(&mut value, AnyValue::Int(1));
        for _ in 0..40 {
            let mut outer = Vec::new();
            put_message(&mut outer, 5, |array| put_bytes(array, 1, &value));
            value = outer;
        }
        let mut list = Vec::new();
        put_message(&mut list, 1, |kv| put_bytes(kv, 2, &value));
        assert_eq!(Attributes::new(&list).validate(40), Ok(()));
        assert_eq!(
            Attributes::new(&list).validate(39),
            Err(WireError::TooDeep { limit: 39 })
        );
    }
}
