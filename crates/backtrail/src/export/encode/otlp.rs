//! A batch as an `ExportTraceServiceRequest` in protobuf.
//!
//! Source: `opentelemetry/proto/collector/trace/v1/trace_service.proto` and what it refers to, version 1.9.

use backtrail_wire::protobuf::{put_len, put_message, varint_len};
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::Resource;

use super::encoded::EncodedSpans;
use super::otlp_span::{put_attributes, put_key_value, put_str_unless_empty};
use super::scopes::{Group, by_scope};

/// Encodes a resource for [`request`], once for all batches: fields 1 (`resource`) and 3 (`schema_url`) of `ResourceSpans`, with the
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

/// A request with these spans, whose `resource` is what [`encode_resource`] returned. Without spans it is empty.
pub(crate) fn request<'a>(
    encoded: impl IntoIterator<Item = &'a EncodedSpans>,
    resource: &[u8],
) -> Vec<u8> {
    let groups = by_scope(encoded.into_iter().flat_map(EncodedSpans::runs));
    if groups.is_empty() {
        return Vec::new();
    }
    let groups: Vec<_> = groups.iter().map(EncodedGroup::new).collect();
    let scopes_len: usize = groups.iter().map(|group| field_len(group.len)).sum();
    let len = resource.len() + scopes_len;
    let mut out = Vec::with_capacity(field_len(len));
    put_len(&mut out, 1, len);
    out.extend_from_slice(resource);
    for group in groups {
        put_len(&mut out, 2, group.len);
        out.extend_from_slice(&group.scope);
        for run in &group.spans.runs {
            out.extend_from_slice(run);
        }
        out.extend_from_slice(&group.schema_url);
    }
    out
}

/// The parts of a `ScopeSpans`.
struct EncodedGroup<'a> {
    scope: Vec<u8>,
    spans: &'a Group<'a>,
    schema_url: Vec<u8>,
    /// Of all together.
    len: usize,
}

impl<'a> EncodedGroup<'a> {
    fn new(spans: &'a Group<'a>) -> Self {
        let (mut scope, mut schema_url) = (Vec::new(), Vec::new());
        put_scope(&mut scope, spans.scope);
        let url = spans.scope.schema_url().unwrap_or_default();
        put_str_unless_empty(&mut schema_url, 3, url);
        let len = scope.len() + spans.len() + schema_url.len();
        Self {
            scope,
            spans,
            schema_url,
            len,
        }
    }
}

/// How many bytes a field takes, whose number is below 16.
const fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

fn put_scope(out: &mut Vec<u8>, scope: &InstrumentationScope) {
    put_message(out, 1, |out| {
        put_str_unless_empty(out, 1, scope.name());
        put_str_unless_empty(out, 2, scope.version().unwrap_or_default());
        let attributes: Vec<_> = scope.attributes().cloned().collect();
        put_attributes(out, 3, &attributes, None);
    });
}
