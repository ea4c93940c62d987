//! Spans of version 2 as JSON.

use serde_json::value::RawValue;

use super::endpoint::Endpoint;
use super::fault::Fault;
use super::json_value::{Result, boolean, elements, integer, members, micros, text, text_of_any};
use super::span::{Annotation, Span, kind_number, parse_id};
use super::to_otlp::Request;
use crate::Transcoded;
use crate::json::JsonError;
use crate::otlp::SpanLimits;

/// An escape in a string takes six bytes for one; white space is not worth more.
const MAX_JSON_BYTES_EACH: usize = 8;

/// Reads a list of spans and writes them as an OTLP `TracesData`, without those that can't be told truly or break OTLP's rules.
///
/// ```
/// use backtrail_wire::otlp::SpanLimits;
/// use backtrail_wire::zipkin::json_v2_to_otlp;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let spans = br#"[
///     {"traceId":"86154a4ba6e91385","id":"4d1e00c0db9010db","kind":"CLIENT","name":"get","timestamp":1472470996199000},
///     {"traceId":"not hexadecimal","id":"1"}
/// ]"#;
/// let transcoded = json_v2_to_otlp(spans, &limits, 0)?;
/// assert_eq!(transcoded.accepted, 1);
/// assert_eq!(transcoded.rejected.examples(), [r#"[1].traceId: trace id "not hexadecimal" is not hexadecimal"#]);
/// # Ok::<(), backtrail_wire::JsonError>(())
/// ```
pub fn to_otlp(
    json: &[u8],
    limits: &SpanLimits,
    received_unix_nano: u64,
) -> std::result::Result<Transcoded, JsonError> {
    let mut request = Request::new(limits);
    read_spans(json, limits, |index, json| {
        let span = json.and_then(read);
        request.put(index, span);
    })?;
    Ok(request.finish(received_unix_nano))
}

/// Calls `each` with every span of a list, or with its fault.
pub(super) fn read_spans<'a>(
    json: &'a [u8],
    limits: &SpanLimits,
    mut each: impl FnMut(usize, Result<&'a RawValue>),
) -> std::result::Result<(), JsonError> {
    let max_json_bytes = limits.max_span_bytes.saturating_mul(MAX_JSON_BYTES_EACH);
    crate::json::for_each(json, |index, span| {
        let len_bytes = span.get().len();
        let checked = if len_bytes > max_json_bytes {
            Err(Fault::TooLong {
                len_bytes,
                max_bytes: limits.max_span_bytes,
            }
            .into())
        } else {
            Ok(span)
        };
        each(index, checked);
    })
}

fn read(json: &RawValue) -> Result<Span<'_>> {
    let mut span = Span::default();
    let mut ids = Ids::default();
    members(json, |name, value| {
        if ids.read(name, value)? {
            return Ok(());
        }
        match &**name {
            "kind" => {
                let kind = text(value)?;
                span.kind =
                    kind_number(&kind).ok_or_else(|| Fault::Kind(format!("{:?}", &*kind)))?;
            }
            "name" => span.name = text(value)?,
            "timestamp" => span.timestamp_micros = micros(value)?,
            "duration" => span.duration_micros = micros(value)?,
            "localEndpoint" => span.local = endpoint(value)?,
            "remoteEndpoint" => span.remote = endpoint(value)?,
            "annotations" => elements(value, |_, value| {
                span.annotations.push(annotation(value)?);
                Ok(())
            })?,
            "tags" => members(value, |key, value| {
                span.tags.push((key.clone(), text_of_any(value)?));
                Ok(())
            })?,
            "debug" => span.debug = boolean(value)?,
            "shared" => span.shared = boolean(value)?,
            _ => {}
        }
        Ok(())
    })?;
    (span.trace_id, span.id, span.parent_id) = ids.finish()?;
    Ok(span)
}

/// The ids of a span of either version.
#[derive(Default)]
pub(super) struct Ids {
    trace_id: Option<[u8; 16]>,
    id: Option<[u8; 8]>,
    parent_id: [u8; 8],
}

impl Ids {
    /// Whether a member of a span is one of its ids, which is then read.
    pub(super) fn read(&mut self, name: &str, value: &RawValue) -> Result<bool> {
        match name {
            "traceId" => self.trace_id = Some(parse_id(&text(value)?, "trace id")?),
            "id" => self.id = Some(parse_id(&text(value)?, "span id")?),
            "parentId" => self.parent_id = parse_id(&text(value)?, "parent id")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Trace id, span id and parent id, of which the first two must be there.
    pub(super) fn finish(self) -> Result<([u8; 16], [u8; 8], [u8; 8])> {
        let missing = |what, path| Fault::Missing(what).at(path);
        let trace_id = self
            .trace_id
            .ok_or_else(|| missing("trace id", ".traceId"))?;
        let id = self.id.ok_or_else(|| missing("span id", ".id"))?;
        Ok((trace_id, id, self.parent_id))
    }
}

/// An endpoint of either version.
pub(super) fn endpoint(json: &RawValue) -> Result<Endpoint<'_>> {
    let mut endpoint = Endpoint::default();
    members(json, |name, value| {
        match &**name {
            "serviceName" => endpoint.service_name = text(value)?,
            "ipv4" | "ipv6" => endpoint.set_address(&text(value)?),
            "port" => {
                let port = integer(value)?.max(0);
                endpoint.port = u16::try_from(port).map_err(|_| Fault::Port(port.to_string()))?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(endpoint)
}

fn annotation(json: &RawValue) -> Result<Annotation<'_>> {
    let (mut timestamp, mut annotated) = (None, None);
    members(json, |name, value| {
        match &**name {
            "timestamp" => timestamp = Some(micros(value)?),
            "value" => annotated = Some(text(value)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Annotation {
        timestamp_micros: timestamp.ok_or(Fault::Missing("timestamp"))?,
        value: annotated.ok_or(Fault::Missing("value"))?,
    })
}
