//! Spans as the bytes that collectors take: no model of messages is built in between.
//!
//! A span is encoded as OTLP while it lasts, and every other format is made of that. So all agree on attributes: of several with one key the
//! last counts, and values are cut as [`EncodeLimits`] says.

#[cfg(test)]
pub(crate) mod arbitrary;
mod attribute_list;
mod attributes;
mod encoded;
mod halves;
pub(crate) mod jaeger;
pub(crate) mod otlp;
mod otlp_span;
mod scopes;
#[cfg(test)]
mod tests;
mod time;

use backtrail_wire::WireError;

pub(crate) use attribute_list::{ATTRIBUTES, AttributeList};
pub(crate) use encoded::EncodedSpans;
pub(crate) use halves::halves;
pub(crate) use otlp_span::{IS_REMOTE, SpanField, SpanParts, put_event, put_link, with_field};
pub(crate) use time::unix_nanos;

/// What is cut when spans are encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct EncodeLimits {
    /// The most characters (Unicode scalar values) that a text value of a span, event or link keeps, also inside of an array. The
    /// attributes of resources and scopes are exempt. Source: "Attribute Limits" of OpenTelemetry's specification.
    pub(crate) attribute_value_len: Option<usize>,
}

/// The same spans as JSON of Zipkin's version 2. It fails on bytes that are no such request.
pub(crate) fn zipkin_json(protobuf: &[u8]) -> Result<Vec<u8>, WireError> {
    backtrail_wire::zipkin::from_otlp(protobuf)
}

/// The same request as [`otlp::request`]'s, as OTLP/JSON. It fails on bytes that are no such request.
pub(crate) fn otlp_json(protobuf: &[u8]) -> Result<Vec<u8>, WireError> {
    backtrail_wire::otlp_json::from_protobuf(protobuf)
}
