//! Span batches to and from OTLP protobuf.

use arrow_array::Array;
use backtrail_wire::WireError;
use backtrail_wire::otlp::{self, ResourceSpans, ScopeSpans, Span, SpanFields, Status, TracesData};
use backtrail_wire::protobuf::put_message;

use super::{SpanBatch, SpanBatchBuilder, SpanColumns};
use crate::Attributes;

impl SpanBatch {
    /// Reads a `TracesData` (or `ExportTraceServiceRequest`) that was admitted before, such as a record of the log. Nothing is checked
    /// but that it can be read: limits that came later do not reject what was acknowledged.
    pub fn from_otlp(payload: &[u8]) -> Result<Self, WireError> {
        let mut builder = SpanBatchBuilder::new();
        for resource_spans in TracesData::new(payload).resource_spans() {
            let resource_spans: ResourceSpans<'_> = resource_spans?;
            builder.begin_resource(&resource_spans)?;
            for scope_spans in resource_spans.scope_spans() {
                let scope_spans: ScopeSpans<'_> = scope_spans?;
                builder.begin_scope(&scope_spans)?;
                for span in scope_spans.raw_spans() {
                    builder.push_span(&Span::parse(span?)?)?;
                }
            }
        }
        Ok(builder.finish())
    }

    /// Writes the spans as a `TracesData`. Neighbours of the same resource and scope share their envelope; the order of spans is kept.
    pub fn to_otlp(&self) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::new();
        self.columns().put_traces_data(0, usize::MAX, &mut out)?;
        Ok(out)
    }

    /// The same as several messages, in order. One goes beyond `max_bytes` by its last span at most.
    pub fn to_otlp_parts(&self, max_bytes: usize) -> Result<Vec<Vec<u8>>, WireError> {
        let columns = self.columns();
        let (mut parts, mut row) = (Vec::new(), 0);
        while row < columns.len() {
            let mut part = Vec::new();
            row = columns.put_traces_data(row, max_bytes, &mut part)?;
            parts.push(part);
        }
        Ok(parts)
    }
}

impl SpanColumns<'_> {
    /// Appends the fields of a `TracesData` with the spans from `row` on, one of them in any case, until `out` has `max_bytes`.
    /// Gives the row of the first span that is not in it.
    fn put_traces_data(
        &self,
        mut row: usize,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, WireError> {
        let mut result = Ok(());
        let mut goes_on = true;
        while row < self.len() && goes_on {
            let resource = self.resource(row);
            put_message(out, 1, |out| {
                // The envelope's own fields come before the spans; the order of fields means nothing in protobuf.
                out.extend_from_slice(resource);
                while goes_on && row < self.len() && self.resource(row) == resource {
                    let scope = self.scope(row);
                    put_message(out, 2, |out| {
                        out.extend_from_slice(scope);
                        while goes_on
                            && row < self.len()
                            && self.scope(row) == scope
                            && self.resource(row) == resource
                        {
                            put_message(out, 2, |out| result = self.put_span(row, out));
                            row += 1;
                            goes_on = result.is_ok() && out.len() < max_bytes;
                        }
                    });
                }
            });
        }
        result.map(|()| row)
    }

    /// Appends the fields of the `Span` message of a row, with its events and links.
    pub fn put_span(&self, row: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.put_parts(row, self.attributes(row), out, |out| {
            for event in self.event_rows(row) {
                otlp::put_event(
                    out,
                    self.events.times.value(event),
                    self.events.names.value(event),
                    self.events.attributes(event),
                    self.events.dropped_attributes_counts.value(event),
                )?;
            }
            Ok(())
        })
    }

    /// The same without attributes and events.
    pub(super) fn put_intrinsics(&self, row: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.put_parts(row, Attributes::default(), out, |_| Ok(()))
    }

    fn put_parts(
        &self,
        row: usize,
        attributes: Attributes<'_>,
        out: &mut Vec<u8>,
        events: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let parent = self.parent_span_id(row);
        let fields = SpanFields {
            trace_id: self.trace_ids.value(row),
            span_id: self.span_ids.value(row),
            trace_state: if self.trace_states.is_valid(row) {
                self.trace_states.value(row)
            } else {
                ""
            },
            parent_span_id: parent.as_ref().map_or(&[], |parent| &parent.0),
            flags: self.flags.value(row),
            name: self.names.value(row),
            kind: self.kinds.value(row),
            start_unix_nano: self.starts.value(row),
            end_unix_nano: self.ends.value(row),
            attributes,
            dropped_attributes_count: self.dropped_attributes_counts.value(row),
            dropped_events_count: self.dropped_events_counts.value(row),
            links: self.links(row),
            dropped_links_count: self.dropped_links_counts.value(row),
            status: self.status_codes.is_valid(row).then(|| Status {
                code: self.status_codes.value(row),
                message: self.status_messages.value(row),
            }),
        };
        otlp::put_span(out, &fields, events)
    }
}
