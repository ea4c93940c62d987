//! A batch as an `ExportTraceServiceRequest` in protobuf.
//!
//! Source: `opentelemetry/proto/collector/trace/v1/trace_service.proto` and what it refers to, version 1.9.

use backtrail_wire::protobuf::{begin_message_of, put_message};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::EncodeLimits;
use super::otlp_span::{put_attributes, put_key_value, put_span, put_str_unless_empty};
use super::scopes::by_scope;

/// What an HTTP server's span takes, about.
const TYPICAL_SPAN_LEN: usize = 400;
/// Memory is set aside for spans of at most this length, and requests of at most this length; longer ones make it grow.
const MAX_EXPECTED_SPAN_LEN: usize = 4096;
const MAX_RESERVED_LEN: usize = 32 << 20;
/// From so many spans on it is worth encoding the first twice, to know how long the others are.
const MEASURED_BATCH_LEN: usize = 32;

/// Encodes a resource for [`encode`], once for all batches: fields 1 (`resource`) and 3 (`schema_url`) of `ResourceSpans`, with the
/// attributes in the order of their keys.
pub(crate) fn encode_resource(resource: &Resource) -> Vec<u8> {
    let mut attributes: Vec<_> = resource.iter().collect();
    attributes.sort_unstable_by_key(|(key, _)| key.as_str());
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        for (key, value) in attributes {
            put_key_value(out, 1, key.as_str(), value, None);
        }
    });
    put_str_unless_empty(&mut out, 3, resource.schema_url().unwrap_or_default());
    out
}

/// Encodes a batch of `batch_len` spans, whose `resource` is what [`encode_resource`] returned. Without spans the request is empty.
pub(crate) fn encode<'a>(
    batch: impl Iterator<Item = &'a SpanData> + Clone,
    batch_len: usize,
    resource: &[u8],
    limits: &EncodeLimits,
) -> Vec<u8> {
    let Some(first) = batch.clone().next() else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut span_len = TYPICAL_SPAN_LEN;
    if batch_len >= MEASURED_BATCH_LEN {
        put_span(&mut out, first, limits);
        span_len = out.len().min(MAX_EXPECTED_SPAN_LEN);
        out.clear();
    }
    let spans_len = batch_len.saturating_mul(span_len);
    let expected_len = spans_len.saturating_add(resource.len());
    // An eighth more, for the spans that are longer than the first, and for the scopes.
    out.reserve(
        expected_len
            .saturating_add(spans_len / 8)
            .min(MAX_RESERVED_LEN),
    );

    let open = begin_message_of(&mut out, 1, expected_len);
    out.extend_from_slice(resource);
    for group in by_scope(batch, batch_len) {
        let expected_len = group.spans.len().saturating_mul(span_len);
        let scope_spans = begin_message_of(&mut out, 2, expected_len);
        put_scope(&mut out, group.scope);
        for span in group.spans {
            put_span(&mut out, span, limits);
        }
        let schema_url = group.scope.schema_url().unwrap_or_default();
        put_str_unless_empty(&mut out, 3, schema_url);
        scope_spans.end(&mut out);
    }
    open.end(&mut out);
    out
}

fn put_scope(out: &mut Vec<u8>, scope: &InstrumentationScope) {
    put_message(out, 1, |out| {
        put_str_unless_empty(out, 1, scope.name());
        put_str_unless_empty(out, 2, scope.version().unwrap_or_default());
        let attributes: Vec<_> = scope.attributes().cloned().collect();
        put_attributes(out, 3, &attributes, None);
    });
}
