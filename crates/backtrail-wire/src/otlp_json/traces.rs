//! Spans.

use serde_json::value::RawValue;

use super::object::read_object;
use super::read::{Fault, Items, Request, read};
use super::span::Span;
use crate::json::JsonError;
use crate::otlp::{self, SpanLimits};
use crate::{Rejections, Transcoded};

/// Reads a `TracesData` (or `ExportTraceServiceRequest`) and writes it as protobuf, without the spans that can't be read or break OTLP's rules.
///
/// ```
/// use backtrail_wire::otlp::{SpanLimits, TracesData};
/// use backtrail_wire::otlp_json::to_protobuf;
///
/// let limits = SpanLimits { max_value_depth: 32, max_span_bytes: 4 << 20 };
/// let request = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[
///     {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"GET /","kind":2},
///     {"traceId":"00","spanId":"EEE19B7EC3C1B174","name":"short"}
/// ]}]}]}"#;
/// let transcoded = to_protobuf(request, &limits)?;
/// assert_eq!(transcoded.accepted, 1);
/// assert_eq!(
///     transcoded.rejected.examples(),
///     ["resourceSpans[0].scopeSpans[0].spans[1]: trace id has 1 bytes instead of 16"]
/// );
/// # Ok::<(), backtrail_wire::otlp_json::JsonError>(())
/// ```
pub fn to_protobuf(json: &[u8], limits: &SpanLimits) -> Result<Transcoded, JsonError> {
    let request = read(json, limits, Spans, Rejections::default())?;
    Ok(Transcoded {
        protobuf: request.out,
        accepted: request.accepted,
        rejected: request.rejected,
    })
}

struct Spans;

impl Items for Spans {
    const DATA: &'static str = "TracesData";
    const RESOURCE_GROUP: &'static str = "ResourceSpans";
    const RESOURCE_GROUPS: [&'static str; 2] = ["resourceSpans", "resource_spans"];
    const SCOPE_GROUP: &'static str = "ScopeSpans";
    const SCOPE_GROUPS: [&'static str; 2] = ["scopeSpans", "scope_spans"];
    const ITEM: &'static str = "Span";
    const ITEMS: [&'static str; 2] = ["spans"; 2];
    const KEEPS_EMPTY_GROUPS: bool = true;

    fn take(request: &mut Request<Self>, raw: &RawValue) -> Result<bool, Fault> {
        let max_bytes = request.limits.max_span_bytes;
        request.put(
            raw,
            2,
            |raw, context, out| read_object(raw, Span(context), out),
            |span| match otlp::Span::parse_valid(span, max_bytes) {
                Ok(_) => Ok(true),
                Err(fault) => Err(Fault {
                    reason: fault.reason(),
                    detail: fault.to_string(),
                }),
            },
        )
    }
}
