//! Typed access to the columns of a batch.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, BinaryArray, DictionaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch,
    StringArray, UInt32Array, UInt64Array,
};

use backtrail_wire::otlp::ResourceSpans;

use crate::{Attributes, SpanId, TraceId, UNKNOWN_SERVICE};

/// The spans' columns. Row arguments must be below [`SpanColumns::len`].
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "the fields are the columns of `schema::SPANS`")]
pub struct SpanColumns<'a> {
    pub trace_ids: &'a FixedSizeBinaryArray,
    pub span_ids: &'a FixedSizeBinaryArray,
    pub parent_span_ids: &'a FixedSizeBinaryArray,
    pub starts: &'a UInt64Array,
    pub ends: &'a UInt64Array,
    pub names: &'a StringArray,
    pub kinds: &'a Int32Array,
    pub status_codes: &'a Int32Array,
    pub status_messages: &'a StringArray,
    pub services: &'a DictionaryArray<Int32Type>,
    pub service_names: &'a StringArray,
    pub resources: &'a DictionaryArray<Int32Type>,
    pub resource_envelopes: &'a BinaryArray,
    pub scopes: &'a DictionaryArray<Int32Type>,
    pub scope_envelopes: &'a BinaryArray,
    pub attributes: &'a BinaryArray,
    pub dropped_attributes_counts: &'a UInt32Array,
    pub dropped_events_counts: &'a UInt32Array,
    pub links: &'a BinaryArray,
    pub dropped_links_counts: &'a UInt32Array,
    pub trace_states: &'a StringArray,
    pub flags: &'a UInt32Array,
    pub events: EventColumns<'a>,
}

impl<'a> SpanColumns<'a> {
    pub(super) fn new(spans: &'a RecordBatch, events: EventColumns<'a>) -> Self {
        let [services, resources, scopes] =
            [9, 10, 11].map(|index| spans.column(index).as_dictionary::<Int32Type>());
        Self {
            trace_ids: spans.column(0).as_fixed_size_binary(),
            span_ids: spans.column(1).as_fixed_size_binary(),
            parent_span_ids: spans.column(2).as_fixed_size_binary(),
            starts: spans.column(3).as_primitive::<UInt64Type>(),
            ends: spans.column(4).as_primitive::<UInt64Type>(),
            names: spans.column(5).as_string(),
            kinds: spans.column(6).as_primitive::<Int32Type>(),
            status_codes: spans.column(7).as_primitive::<Int32Type>(),
            status_messages: spans.column(8).as_string(),
            services,
            service_names: services.values().as_string(),
            resources,
            resource_envelopes: resources.values().as_binary(),
            scopes,
            scope_envelopes: scopes.values().as_binary(),
            attributes: spans.column(12).as_binary(),
            dropped_attributes_counts: spans.column(13).as_primitive::<UInt32Type>(),
            dropped_events_counts: spans.column(14).as_primitive::<UInt32Type>(),
            links: spans.column(15).as_binary(),
            dropped_links_counts: spans.column(16).as_primitive::<UInt32Type>(),
            trace_states: spans.column(17).as_string(),
            flags: spans.column(18).as_primitive::<UInt32Type>(),
            events,
        }
    }

    /// How many spans.
    pub fn len(&self) -> usize {
        self.trace_ids.len()
    }

    /// Whether there is no span.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The span's trace.
    pub fn trace_id(&self, row: usize) -> TraceId {
        trace_id_at(self.trace_ids, row)
    }

    /// The span's id.
    pub fn span_id(&self, row: usize) -> SpanId {
        span_id_at(self.span_ids, row)
    }

    /// The id of the parent that the span names.
    pub fn parent_span_id(&self, row: usize) -> Option<SpanId> {
        self.parent_span_ids
            .is_valid(row)
            .then(|| span_id_at(self.parent_span_ids, row))
    }

    /// Nanoseconds from start to end; 0 when the end is missing or before the start.
    pub fn duration_nano(&self, row: usize) -> u64 {
        self.ends.value(row).saturating_sub(self.starts.value(row))
    }

    /// OTLP's number of the status, 0 when there is none.
    pub fn status_code(&self, row: usize) -> i32 {
        if self.status_codes.is_valid(row) {
            self.status_codes.value(row)
        } else {
            0
        }
    }

    /// The name of the service.
    pub fn service(&self, row: usize) -> &'a str {
        self.service_names
            .value(self.services.keys().value(row) as usize)
    }

    /// The resource's envelope: a `ResourceSpans` without spans.
    pub fn resource(&self, row: usize) -> &'a [u8] {
        self.resource_envelopes
            .value(self.resources.keys().value(row) as usize)
    }

    /// The scope's envelope: a `ScopeSpans` without spans.
    pub fn scope(&self, row: usize) -> &'a [u8] {
        self.scope_envelopes
            .value(self.scopes.keys().value(row) as usize)
    }

    /// The span's attributes.
    pub fn attributes(&self, row: usize) -> Attributes<'a> {
        Attributes::new(self.attributes.value(row))
    }

    /// The links, as a message whose field 1 repeats `Link`; empty when there are none.
    pub fn links(&self, row: usize) -> &'a [u8] {
        if self.links.is_valid(row) {
            self.links.value(row)
        } else {
            &[]
        }
    }

    /// The rows of the span's events in [`SpanColumns::events`].
    pub fn event_rows(&self, row: usize) -> Range<usize> {
        self.events.rows_of(row)
    }
}

/// The events' columns.
#[derive(Clone, Copy)]
#[expect(
    missing_docs,
    reason = "the fields are the columns of `schema::EVENTS`"
)]
pub struct EventColumns<'a> {
    pub trace_ids: &'a FixedSizeBinaryArray,
    pub span_ids: &'a FixedSizeBinaryArray,
    pub span_rows: &'a UInt32Array,
    pub times: &'a UInt64Array,
    pub names: &'a StringArray,
    pub attributes: &'a BinaryArray,
    pub dropped_attributes_counts: &'a UInt32Array,
    pub resources: &'a BinaryArray,
    pub scopes: &'a BinaryArray,
}

impl<'a> EventColumns<'a> {
    pub(super) fn new(events: &'a RecordBatch) -> Self {
        Self {
            trace_ids: events.column(0).as_fixed_size_binary(),
            span_ids: events.column(1).as_fixed_size_binary(),
            span_rows: events.column(2).as_primitive::<UInt32Type>(),
            times: events.column(3).as_primitive::<UInt64Type>(),
            names: events.column(4).as_string(),
            attributes: events.column(5).as_binary(),
            dropped_attributes_counts: events.column(6).as_primitive::<UInt32Type>(),
            resources: events.column(7).as_binary(),
            scopes: events.column(8).as_binary(),
        }
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.trace_ids.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The trace of an event.
    pub fn trace_id(&self, row: usize) -> TraceId {
        trace_id_at(self.trace_ids, row)
    }

    /// The span of an event.
    pub fn span_id(&self, row: usize) -> SpanId {
        span_id_at(self.span_ids, row)
    }

    /// The event's attributes.
    pub fn attributes(&self, row: usize) -> Attributes<'a> {
        Attributes::new(self.attributes.value(row))
    }

    /// The name of the service that sent an event which came without its span.
    pub fn service(&self, row: usize) -> &'a str {
        let envelope = if self.resources.is_valid(row) {
            self.resources.value(row)
        } else {
            &[]
        };
        // An envelope was read when it was admitted. One that can't be names no service.
        let service = ResourceSpans::new(envelope).service_name();
        service.ok().flatten().unwrap_or(UNKNOWN_SERVICE)
    }

    /// The rows of the events that came without their span: the last ones.
    pub fn lone_rows(&self) -> Range<usize> {
        self.len() - self.span_rows.null_count()..self.len()
    }

    fn rows_of(&self, span_row: usize) -> Range<usize> {
        let with_span = &self.span_rows.values()[..self.lone_rows().start];
        let from = with_span.partition_point(|row| (*row as usize) < span_row);
        let to = from
            + with_span[from..]
                .iter()
                .take_while(|row| **row as usize == span_row)
                .count();
        from..to
    }
}

fn trace_id_at(array: &FixedSizeBinaryArray, row: usize) -> TraceId {
    TraceId::from_slice(array.value(row)).unwrap_or_default()
}

fn span_id_at(array: &FixedSizeBinaryArray, row: usize) -> SpanId {
    SpanId::from_slice(array.value(row)).unwrap_or_default()
}
