//! Typed tags: `{key, type, value}` in JSON, `KeyValue` in protobuf.

use std::borrow::Cow;
use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{AttributeValue, Attributes, WireError};
use serde::ser::{Error as _, SerializeStruct};
use serde::{Serialize, Serializer};

/// Integers beyond it lose digits in JavaScript.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
/// Deeper values are refused, for each level is a call of its own. Decoders admit far fewer levels.
const MAX_DEPTH: usize = 200;

/// A tag, or a field of a log.
pub(super) struct Tag<'a> {
    pub(super) key: &'a str,
    pub(super) value: TagValue<'a>,
}

/// A value of one of Jaeger's five types.
pub(super) enum TagValue<'a> {
    String(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Binary(&'a [u8]),
}

impl Serialize for Tag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tag = serializer.serialize_struct("Tag", 3)?;
        tag.serialize_field("key", self.key)?;
        let kind = match self.value {
            TagValue::String(_) => "string",
            TagValue::Bool(_) => "bool",
            TagValue::Int(_) => "int64",
            TagValue::Float(_) => "float64",
            TagValue::Binary(_) => "binary",
        };
        tag.serialize_field("type", kind)?;
        match &self.value {
            TagValue::String(value) => tag.serialize_field("value", value)?,
            TagValue::Bool(value) => tag.serialize_field("value", value)?,
            TagValue::Int(value) if value.unsigned_abs() > MAX_SAFE_INTEGER => {
                tag.serialize_field("value", &value.to_string())?;
            }
            TagValue::Int(value) => tag.serialize_field("value", value)?,
            TagValue::Float(value) if value.is_finite() => tag.serialize_field("value", value)?,
            TagValue::Float(value) => tag.serialize_field("value", &value.to_string())?,
            TagValue::Binary(value) => {
                tag.serialize_field("value", &BASE64_STANDARD.encode(value))?;
            }
        }
        tag.end()
    }
}

impl<'a> Tag<'a> {
    pub(super) fn string(key: &'a str, value: &'a str) -> Self {
        Self {
            key,
            value: TagValue::String(value.into()),
        }
    }

    pub(super) fn owned(key: &'a str, value: String) -> Self {
        Self {
            key,
            value: TagValue::String(value.into()),
        }
    }

    pub(super) fn bool(key: &'a str, value: bool) -> Self {
        Self {
            key,
            value: TagValue::Bool(value),
        }
    }

    fn of(key: &'a str, value: AttributeValue<'a>) -> Result<Self, serde_json::Error> {
        let value = match value {
            AttributeValue::Empty => TagValue::String("".into()),
            AttributeValue::String(value) => TagValue::String(value.into()),
            AttributeValue::Bool(value) => TagValue::Bool(value),
            AttributeValue::Int(value) => TagValue::Int(value),
            AttributeValue::Double(value) => TagValue::Float(value),
            AttributeValue::Bytes(value) => TagValue::Binary(value),
            AttributeValue::Array(_) | AttributeValue::Map(_) => {
                TagValue::String(serde_json::to_string(&Plain(value, MAX_DEPTH))?.into())
            }
        };
        Ok(Self { key, value })
    }

    /// Appends a tag for each attribute but those that `skip` names.
    pub(super) fn extend(
        tags: &mut Vec<Self>,
        attributes: Attributes<'a>,
        skip: Option<&str>,
    ) -> Result<(), TagError> {
        for attribute in attributes.iter() {
            let attribute = attribute?;
            if skip != Some(attribute.key) {
                tags.push(Self::of(attribute.key, attribute.value)?);
            }
        }
        Ok(())
    }
}

/// A span that is kept and can't be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum TagError {
    #[error("a span that is kept can't be read: {0}")]
    Unreadable(#[from] WireError),
    #[error("an attribute can't be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// A value as plain JSON, as it stands in a tag of type string.
struct Plain<'a>(AttributeValue<'a>, usize);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, depth_left) = self;
        let deeper = || {
            depth_left
                .checked_sub(1)
                .ok_or_else(|| S::Error::custom("too deep"))
        };
        let unreadable = RefCell::new(None);
        let remember = |error: WireError| *unreadable.borrow_mut() = Some(error);
        let written = match *value {
            AttributeValue::Empty => serializer.serialize_unit(),
            AttributeValue::String(value) => serializer.serialize_str(value),
            AttributeValue::Bool(value) => serializer.serialize_bool(value),
            AttributeValue::Int(value) => serializer.serialize_i64(value),
            AttributeValue::Double(value) if value.is_finite() => serializer.serialize_f64(value),
            AttributeValue::Double(value) => serializer.collect_str(&value),
            AttributeValue::Bytes(value) => {
                serializer.serialize_str(&BASE64_STANDARD.encode(value))
            }
            AttributeValue::Array(array) => {
                let depth_left = deeper()?;
                let values = array
                    .iter()
                    .map_while(|value| value.map_err(&remember).ok());
                serializer.collect_seq(values.map(|value| Plain(value, depth_left)))
            }
            AttributeValue::Map(map) => {
                let depth_left = deeper()?;
                let entries = map.iter().map_while(|entry| entry.map_err(&remember).ok());
                serializer
                    .collect_map(entries.map(|entry| (entry.key, Plain(entry.value, depth_left))))
            }
        }?;
        match unreadable.into_inner() {
            None => Ok(written),
            Some(error) => Err(S::Error::custom(error)),
        }
    }
}
