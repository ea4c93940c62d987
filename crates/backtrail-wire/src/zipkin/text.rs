//! Attribute values as text, by OpenTelemetry's rules for protocols that know no other types.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::WireError;
use crate::json::put_string;
use crate::otlp::{AnyValue, Attributes};

/// Deeper values are refused, for each level is a call of its own.
const MAX_DEPTH: usize = 200;

/// A string as it is, bytes as base64, nothing as an empty text; anything else as JSON.
pub(super) fn put_text(out: &mut Vec<u8>, value: AnyValue<'_>) -> Result<(), WireError> {
    match value {
        AnyValue::Empty => {}
        AnyValue::String(text) => out.extend_from_slice(text.as_bytes()),
        AnyValue::Bytes(bytes) => out.extend_from_slice(BASE64_STANDARD.encode(bytes).as_bytes()),
        AnyValue::Double(double) if !double.is_finite() => {
            out.extend_from_slice(non_finite(double).as_bytes());
        }
        other => put_json(out, other, 0)?,
    }
    Ok(())
}

/// A list of attributes as a JSON object.
pub(super) fn put_object(
    out: &mut Vec<u8>,
    attributes: Attributes<'_>,
    depth: usize,
) -> Result<(), WireError> {
    out.push(b'{');
    for (index, attribute) in attributes.iter().enumerate() {
        let attribute = attribute?;
        if index > 0 {
            out.push(b',');
        }
        put_string(out, attribute.key);
        out.push(b':');
        put_json(out, attribute.value, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn put_json(out: &mut Vec<u8>, value: AnyValue<'_>, depth: usize) -> Result<(), WireError> {
    if depth > MAX_DEPTH {
        return Err(WireError::TooDeep { limit: MAX_DEPTH });
    }
    match value {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::String(text) => put_string(out, text),
        AnyValue::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        AnyValue::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        AnyValue::Double(value) if value.is_finite() => {
            out.extend_from_slice(format!("{value:?}").as_bytes());
        }
        AnyValue::Double(value) => put_string(out, non_finite(value)),
        AnyValue::Bytes(bytes) => put_string(out, &BASE64_STANDARD.encode(bytes)),
        AnyValue::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_json(out, value?, depth + 1)?;
            }
            out.push(b']');
        }
        AnyValue::Map(values) => put_object(out, values, depth + 1)?,
    }
    Ok(())
}

fn non_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}
