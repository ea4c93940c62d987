//! Attributes as `{key, type, value}`.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{AttributeValue, Attributes, WireError};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};

/// Deeper values are refused, for each level is a call of its own. Decoders admit far fewer levels.
const MAX_DEPTH: usize = 200;

/// A list of attributes, in the order in which they were sent.
pub(super) struct AttributeList<'a>(pub(super) Attributes<'a>);

impl Serialize for AttributeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        list(self.0, MAX_DEPTH, serializer)
    }
}

/// A list whose bytes had to be collected from elsewhere.
pub(super) struct OwnedAttributes(pub(super) Vec<u8>);

impl Serialize for OwnedAttributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AttributeList(Attributes::new(&self.0)).serialize(serializer)
    }
}

struct Attribute<'a> {
    key: Option<&'a str>,
    value: AttributeValue<'a>,
    depth_left: usize,
}

impl Serialize for Attribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(key) = self.key {
            map.serialize_entry("key", key)?;
        }
        map.serialize_entry("type", type_name(self.value))?;
        map.serialize_entry("value", &Value(self.value, self.depth_left))?;
        map.end()
    }
}

fn type_name(value: AttributeValue<'_>) -> &'static str {
    match value {
        AttributeValue::Empty => "empty",
        AttributeValue::String(_) => "string",
        AttributeValue::Bool(_) => "bool",
        AttributeValue::Int(_) => "int",
        AttributeValue::Double(_) => "double",
        AttributeValue::Array(_) => "array",
        AttributeValue::Map(_) => "map",
        AttributeValue::Bytes(_) => "bytes",
    }
}

struct Value<'a>(AttributeValue<'a>, usize);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, depth_left) = self;
        let deeper = || {
            depth_left
                .checked_sub(1)
                .ok_or_else(|| S::Error::custom("too deep"))
        };
        match *value {
            AttributeValue::Empty => serializer.serialize_unit(),
            AttributeValue::String(value) => serializer.serialize_str(value),
            AttributeValue::Bool(value) => serializer.serialize_bool(value),
            AttributeValue::Int(value) => serializer.collect_str(&value),
            AttributeValue::Double(value) => double(value, serializer),
            AttributeValue::Bytes(value) => {
                serializer.serialize_str(&BASE64_STANDARD.encode(value))
            }
            AttributeValue::Map(map) => list(map, deeper()?, serializer),
            AttributeValue::Array(array) => {
                let depth_left = deeper()?;
                let values = array.iter().map(|value| {
                    value.map(|value| Attribute {
                        key: None,
                        value,
                        depth_left,
                    })
                });
                sequence(values, serializer)
            }
        }
    }
}

/// A number, or its name where JSON has no number for it.
fn double<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(value)
    } else if value.is_nan() {
        serializer.serialize_str("NaN")
    } else if value > 0.0 {
        serializer.serialize_str("Infinity")
    } else {
        serializer.serialize_str("-Infinity")
    }
}

fn list<S: Serializer>(
    attributes: Attributes<'_>,
    depth_left: usize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let entries = attributes.iter().map(|attribute| {
        attribute.map(|attribute| Attribute {
            key: Some(attribute.key),
            value: attribute.value,
            depth_left,
        })
    });
    sequence(entries, serializer)
}

fn sequence<T: Serialize, S: Serializer>(
    items: impl Iterator<Item = Result<T, WireError>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let unreadable = RefCell::new(None);
    let written = serializer.collect_seq(items.map_while(|item| {
        item.map_err(|error| *unreadable.borrow_mut() = Some(error))
            .ok()
    }))?;
    match unreadable.into_inner() {
        None => Ok(written),
        Some(error) => Err(S::Error::custom(error)),
    }
}
