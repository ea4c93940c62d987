//! Cuts OTLP into requests that a server takes.

use backtrail_wire::otlp::TracesData;
use backtrail_wire::protobuf::{begin_message, put_bytes};

/// Far below what servers take by default, and large enough that the time goes into the spans.
pub(super) const MAX_REQUEST_BYTES: usize = 2 << 20;

/// A part of what is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// A `TracesData` message.
    pub(super) body: Vec<u8>,
    pub(super) spans: u64,
}

/// Gives `send` the spans of a `TracesData` in their order, in requests of at most so many bytes; a span that is larger goes alone. Resources and
/// scopes are repeated where a request begins within them. It ends at the first error.
pub(super) fn for_each_request(
    traces: &[u8],
    max_bytes: usize,
    send: &mut dyn FnMut(Request) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut request = Building::default();
    for resource_spans in TracesData::new(traces).resource_spans() {
        let resource_spans = resource_spans?;
        let mut resource = Vec::new();
        resource_spans.put_envelope(&mut resource)?;
        for scope_spans in resource_spans.scope_spans() {
            let scope_spans = scope_spans?;
            let mut scope = Vec::new();
            scope_spans.put_envelope(&mut scope)?;
            request.begin(&resource, &scope);
            for span in scope_spans.raw_spans() {
                let span = span?;
                if request.spans > 0 && request.len() + span.len() > max_bytes {
                    send(request.take())?;
                    request.begin(&resource, &scope);
                }
                put_bytes(&mut request.scope_spans, 2, span);
                request.spans += 1;
                request.scope_span_count += 1;
            }
            request.end();
        }
    }
    if request.spans > 0 {
        send(request.take())?;
    }
    Ok(())
}

#[derive(Default)]
struct Building {
    body: Vec<u8>,
    spans: u64,
    resource: Vec<u8>,
    /// The `ScopeSpans` that is being filled: its own fields, and then its spans.
    scope_spans: Vec<u8>,
    scope_span_count: u64,
}

impl Building {
    fn begin(&mut self, resource: &[u8], scope: &[u8]) {
        resource.clone_into(&mut self.resource);
        scope.clone_into(&mut self.scope_spans);
        self.scope_span_count = 0;
    }

    fn len(&self) -> usize {
        self.body.len() + self.resource.len() + self.scope_spans.len()
    }

    fn end(&mut self) {
        if self.scope_span_count > 0 {
            let open = begin_message(&mut self.body, 1);
            self.body.extend_from_slice(&self.resource);
            put_bytes(&mut self.body, 2, &self.scope_spans);
            open.end(&mut self.body);
        }
        self.scope_span_count = 0;
    }

    fn take(&mut self) -> Request {
        self.end();
        Request {
            body: std::mem::take(&mut self.body),
            spans: std::mem::take(&mut self.spans),
        }
    }
}
