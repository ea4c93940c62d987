//! Builds span batches, from OTLP views or from rows of other batches.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, FixedSizeBinaryBuilder, Int32Builder, StringBuilder,
    UInt32Builder, UInt64Builder,
};
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, BinaryArray, DictionaryArray, RecordBatch, StringArray};
use backtrail_wire::otlp::{ResourceSpans, ScopeSpans, Span};
use backtrail_wire::protobuf::put_bytes;
use hashbrown::HashMap;

use super::{SpanBatch, schema};
use crate::{Attributes, SpanColumns, SpanId, TraceId, UNKNOWN_SERVICE, WireError};

/// Values that are stored once and referred to by number.
#[derive(Default)]
struct Interner {
    numbers: HashMap<Box<[u8]>, i32>,
    values: Vec<Box<[u8]>>,
    keys: Vec<i32>,
}

impl Interner {
    fn intern(&mut self, value: &[u8]) -> i32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.values.len() as i32;
        self.numbers.insert(value.into(), number);
        self.values.push(value.into());
        number
    }

    fn finish(self, values: ArrayRef) -> ArrayRef {
        // The keys were given out by `intern`, so each has its value.
        #[expect(clippy::expect_used, reason = "every key was made by `intern`")]
        let array = DictionaryArray::<Int32Type>::try_new(self.keys.into(), values)
            .expect("every key has a value");
        Arc::new(array)
    }

    fn finish_binary(mut self) -> ArrayRef {
        let values = std::mem::take(&mut self.values);
        self.finish(Arc::new(BinaryArray::from_iter_values(values.iter())))
    }

    fn finish_utf8(mut self) -> ArrayRef {
        let values = std::mem::take(&mut self.values);
        let text = values.iter().map(|value| String::from_utf8_lossy(value));
        self.finish(Arc::new(StringArray::from_iter_values(text)))
    }
}

/// An event that came without its span, such as an exception in a log record.
#[derive(Debug, Clone, Copy)]
pub struct LoneEvent<'a> {
    /// The trace that it names.
    pub trace_id: TraceId,
    /// The span that it names, zero when it names none.
    pub span_id: SpanId,
    /// Nanoseconds since 1970.
    pub time_unix_nano: u64,
    /// Its name.
    pub name: &'a str,
    /// Its attributes.
    pub attributes: Attributes<'a>,
    /// How many attributes the client dropped.
    pub dropped_attributes_count: u32,
    /// Envelope of the resource that sent it.
    pub resource: &'a [u8],
    /// Envelope of the instrumentation scope that made it.
    pub scope: &'a [u8],
}

struct EventsBuilder {
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    span_row: UInt32Builder,
    time: UInt64Builder,
    name: StringBuilder,
    attributes: BinaryBuilder,
    dropped_attributes_count: UInt32Builder,
    resource: BinaryBuilder,
    scope: BinaryBuilder,
}

impl EventsBuilder {
    fn new() -> Self {
        Self {
            trace_id: FixedSizeBinaryBuilder::with_capacity(0, 16),
            span_id: FixedSizeBinaryBuilder::with_capacity(0, 8),
            span_row: UInt32Builder::with_capacity(0),
            time: UInt64Builder::with_capacity(0),
            name: StringBuilder::with_capacity(0, 0),
            attributes: BinaryBuilder::with_capacity(0, 0),
            dropped_attributes_count: UInt32Builder::with_capacity(0),
            resource: BinaryBuilder::with_capacity(0, 0),
            scope: BinaryBuilder::with_capacity(0, 0),
        }
    }

    fn push(&mut self, span_row: Option<u32>, event: &LoneEvent<'_>) {
        append_fixed(&mut self.trace_id, &event.trace_id.0);
        append_fixed(&mut self.span_id, &event.span_id.0);
        self.span_row.append_option(span_row);
        self.time.append_value(event.time_unix_nano);
        self.name.append_value(event.name);
        self.attributes.append_value(event.attributes.as_bytes());
        self.dropped_attributes_count
            .append_value(event.dropped_attributes_count);
        // Those of a span's own events stand with the span; an event that came without it keeps what sent it, also where it joins the span.
        let is_lone = span_row.is_none();
        let own = |envelope: &'_ [u8]| is_lone || !envelope.is_empty();
        self.resource
            .append_option(own(event.resource).then_some(event.resource));
        self.scope
            .append_option(own(event.scope).then_some(event.scope));
    }

    fn finish(mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.span_row.finish()),
            Arc::new(self.time.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.attributes.finish()),
            Arc::new(self.dropped_attributes_count.finish()),
            Arc::new(self.resource.finish()),
            Arc::new(self.scope.finish()),
        ];
        record_batch(&schema::EVENTS, columns)
    }
}

/// Builds a [`SpanBatch`] row by row. Resources, scopes and services that are equal are stored once.
pub struct SpanBatchBuilder {
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    parent_span_id: FixedSizeBinaryBuilder,
    start: UInt64Builder,
    end: UInt64Builder,
    name: StringBuilder,
    kind: Int32Builder,
    status_code: Int32Builder,
    status_message: StringBuilder,
    service: Interner,
    resource: Interner,
    scope: Interner,
    attributes: BinaryBuilder,
    dropped_attributes_count: UInt32Builder,
    dropped_events_count: UInt32Builder,
    links: BinaryBuilder,
    dropped_links_count: UInt32Builder,
    trace_state: StringBuilder,
    flags: UInt32Builder,
    events: EventsBuilder,
    lone_events: Option<EventsBuilder>,
    current_service: i32,
    current_resource: i32,
    current_scope: i32,
    scratch: Vec<u8>,
}

impl Default for SpanBatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl SpanBatchBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self {
            trace_id: FixedSizeBinaryBuilder::with_capacity(0, 16),
            span_id: FixedSizeBinaryBuilder::with_capacity(0, 8),
            parent_span_id: FixedSizeBinaryBuilder::with_capacity(0, 8),
            start: UInt64Builder::with_capacity(0),
            end: UInt64Builder::with_capacity(0),
            name: StringBuilder::with_capacity(0, 0),
            kind: Int32Builder::with_capacity(0),
            status_code: Int32Builder::with_capacity(0),
            status_message: StringBuilder::with_capacity(0, 0),
            service: Interner::default(),
            resource: Interner::default(),
            scope: Interner::default(),
            attributes: BinaryBuilder::with_capacity(0, 0),
            dropped_attributes_count: UInt32Builder::with_capacity(0),
            dropped_events_count: UInt32Builder::with_capacity(0),
            links: BinaryBuilder::with_capacity(0, 0),
            dropped_links_count: UInt32Builder::with_capacity(0),
            trace_state: StringBuilder::with_capacity(0, 0),
            flags: UInt32Builder::with_capacity(0),
            events: EventsBuilder::new(),
            lone_events: None,
            current_service: 0,
            current_resource: 0,
            current_scope: 0,
            scratch: Vec::new(),
        }
    }

    /// How many spans were pushed.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether no span was pushed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The spans that follow belong to this resource.
    pub fn begin_resource(&mut self, resource: &ResourceSpans<'_>) -> Result<(), WireError> {
        self.scratch.clear();
        resource.put_envelope(&mut self.scratch)?;
        self.current_resource = self.resource.intern(&self.scratch);
        let service = resource.service_name()?.unwrap_or(UNKNOWN_SERVICE);
        self.current_service = self.service.intern(service.as_bytes());
        Ok(())
    }

    /// The spans that follow belong to this scope.
    pub fn begin_scope(&mut self, scope: &ScopeSpans<'_>) -> Result<(), WireError> {
        self.scratch.clear();
        scope.put_envelope(&mut self.scratch)?;
        self.current_scope = self.scope.intern(&self.scratch);
        Ok(())
    }

    /// Adds a span of the current resource and scope. Its ids must have their lengths and everything in it must be readable: the decoder has seen to that,
    /// and on an error the builder must be thrown away.
    pub fn push_span(&mut self, span: &Span<'_>) -> Result<(), WireError> {
        let row = self.len() as u32;
        let trace_id = TraceId::from_slice(span.trace_id).unwrap_or_default();
        let span_id = SpanId::from_slice(span.span_id).unwrap_or_default();
        append_fixed(&mut self.trace_id, &trace_id.0);
        append_fixed(&mut self.span_id, &span_id.0);
        match SpanId::from_slice(span.parent_span_id) {
            Some(parent) => append_fixed(&mut self.parent_span_id, &parent.0),
            None => self.parent_span_id.append_null(),
        }
        self.start.append_value(span.start_unix_nano);
        self.end.append_value(span.end_unix_nano);
        self.name.append_value(span.name);
        self.kind.append_value(span.kind);
        self.status_code
            .append_option(span.status.map(|status| status.code));
        self.status_message
            .append_option(span.status.map(|status| status.message));
        self.service.keys.push(self.current_service);
        self.resource.keys.push(self.current_resource);
        self.scope.keys.push(self.current_scope);

        self.scratch.clear();
        span.put_attributes(&mut self.scratch)?;
        self.attributes.append_value(&self.scratch);
        self.dropped_attributes_count
            .append_value(span.dropped_attributes_count);

        for event in span.events() {
            let event = event?;
            self.scratch.clear();
            event.put_attributes(&mut self.scratch)?;
            self.events.push(
                Some(row),
                &LoneEvent {
                    trace_id,
                    span_id,
                    time_unix_nano: event.time_unix_nano,
                    name: event.name,
                    attributes: Attributes::new(&self.scratch),
                    dropped_attributes_count: event.dropped_attributes_count,
                    resource: &[],
                    scope: &[],
                },
            );
        }
        self.dropped_events_count
            .append_value(span.dropped_events_count);

        self.scratch.clear();
        for link in span.raw_links() {
            put_bytes(&mut self.scratch, 1, link?);
        }
        self.links
            .append_option((!self.scratch.is_empty()).then_some(&self.scratch));
        self.dropped_links_count
            .append_value(span.dropped_links_count);
        self.trace_state
            .append_option((!span.trace_state.is_empty()).then_some(span.trace_state));
        self.flags.append_value(span.flags);
        Ok(())
    }

    /// Adds an event that came without its span.
    pub fn push_lone_event(&mut self, event: &LoneEvent<'_>) {
        self.lone_events
            .get_or_insert_with(EventsBuilder::new)
            .push(None, event);
    }

    /// Copies a span with its events from another batch.
    pub fn push_row(&mut self, from: &SpanColumns<'_>, row: usize) {
        let to_row = self.len() as u32;
        append_fixed(&mut self.trace_id, from.trace_ids.value(row));
        append_fixed(&mut self.span_id, from.span_ids.value(row));
        match from.parent_span_id(row) {
            Some(parent) => append_fixed(&mut self.parent_span_id, &parent.0),
            None => self.parent_span_id.append_null(),
        }
        self.start.append_value(from.starts.value(row));
        self.end.append_value(from.ends.value(row));
        self.name.append_value(from.names.value(row));
        self.kind.append_value(from.kinds.value(row));
        self.status_code.append_option(
            from.status_codes
                .is_valid(row)
                .then(|| from.status_codes.value(row)),
        );
        self.status_message.append_option(
            from.status_messages
                .is_valid(row)
                .then(|| from.status_messages.value(row)),
        );
        let service = self.service.intern(from.service(row).as_bytes());
        let resource = self.resource.intern(from.resource(row));
        let scope = self.scope.intern(from.scope(row));
        self.service.keys.push(service);
        self.resource.keys.push(resource);
        self.scope.keys.push(scope);
        self.attributes.append_value(from.attributes.value(row));
        self.dropped_attributes_count
            .append_value(from.dropped_attributes_counts.value(row));
        self.dropped_events_count
            .append_value(from.dropped_events_counts.value(row));
        self.links
            .append_option(from.links.is_valid(row).then(|| from.links.value(row)));
        self.dropped_links_count
            .append_value(from.dropped_links_counts.value(row));
        self.trace_state.append_option(
            from.trace_states
                .is_valid(row)
                .then(|| from.trace_states.value(row)),
        );
        self.flags.append_value(from.flags.value(row));
        for event_row in from.event_rows(row) {
            self.events.push(Some(to_row), &event_at(from, event_row));
        }
    }

    /// Copies an event of another batch to the span that was pushed last: its own, when it came without it.
    pub fn push_event_row(&mut self, from: &SpanColumns<'_>, event_row: usize) {
        let last_row = self.len().checked_sub(1).map(|row| row as u32);
        self.events.push(last_row, &event_at(from, event_row));
    }

    /// Copies an event that came without its span from another batch.
    pub fn push_lone_event_row(&mut self, from: &SpanColumns<'_>, event_row: usize) {
        self.push_lone_event(&event_at(from, event_row));
    }

    /// Copies all of another batch.
    pub fn push_batch(&mut self, batch: &SpanBatch) {
        let columns = batch.columns();
        for row in 0..columns.len() {
            self.push_row(&columns, row);
        }
        for event_row in columns.events.lone_rows() {
            self.push_lone_event_row(&columns, event_row);
        }
    }

    /// The batch.
    pub fn finish(mut self) -> SpanBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.parent_span_id.finish()),
            Arc::new(self.start.finish()),
            Arc::new(self.end.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.status_code.finish()),
            Arc::new(self.status_message.finish()),
            self.service.finish_utf8(),
            self.resource.finish_binary(),
            self.scope.finish_binary(),
            Arc::new(self.attributes.finish()),
            Arc::new(self.dropped_attributes_count.finish()),
            Arc::new(self.dropped_events_count.finish()),
            Arc::new(self.links.finish()),
            Arc::new(self.dropped_links_count.finish()),
            Arc::new(self.trace_state.finish()),
            Arc::new(self.flags.finish()),
        ];
        if let Some(mut lone) = self.lone_events {
            let lone = std::mem::replace(&mut lone, EventsBuilder::new()).finish();
            let columns = SpanBatch::new(RecordBatch::new_empty(schema::SPANS.clone()), lone);
            let columns = columns.columns();
            for event_row in columns.events.lone_rows() {
                self.events.push(None, &event_at(&columns, event_row));
            }
        }
        SpanBatch {
            spans: record_batch(&schema::SPANS, columns),
            events: self.events.finish(),
        }
    }
}

fn value_or_empty(array: &BinaryArray, row: usize) -> &[u8] {
    if array.is_valid(row) {
        array.value(row)
    } else {
        &[]
    }
}

fn event_at<'a>(from: &SpanColumns<'a>, event_row: usize) -> LoneEvent<'a> {
    let events = from.events;
    LoneEvent {
        trace_id: events.trace_id(event_row),
        span_id: events.span_id(event_row),
        time_unix_nano: events.times.value(event_row),
        name: events.names.value(event_row),
        attributes: events.attributes(event_row),
        dropped_attributes_count: events.dropped_attributes_counts.value(event_row),
        resource: value_or_empty(events.resources, event_row),
        scope: value_or_empty(events.scopes, event_row),
    }
}

#[expect(
    clippy::expect_used,
    reason = "the callers pass arrays of the builder's own width"
)]
fn append_fixed(builder: &mut FixedSizeBinaryBuilder, value: &[u8]) {
    builder
        .append_value(value)
        .expect("the value has the builder's width");
}

/// Buffers double as they grow, and a batch may stay in the memtable for a minute: what they have too much goes back.
#[expect(
    clippy::expect_used,
    reason = "the columns are built beside each other above"
)]
fn record_batch(schema: &arrow_schema::SchemaRef, mut columns: Vec<ArrayRef>) -> RecordBatch {
    columns.iter_mut().for_each(Array::shrink_to_fit);
    RecordBatch::try_new(schema.clone(), columns).expect("the columns follow the schema")
}
