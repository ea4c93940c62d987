//! [`SpanBatch`]: spans and their events as Arrow record batches.

mod builder;
mod canonical;
mod columns;
pub mod filter;
mod otlp;
mod otlp_logs;
pub mod schema;

pub use builder::{LoneEvent, SpanBatchBuilder};
pub use columns::{EventColumns, SpanColumns};

use arrow_array::RecordBatch;

/// Spans and their events. See [`schema`] for the columns.
#[derive(Debug, Clone)]
pub struct SpanBatch {
    spans: RecordBatch,
    events: RecordBatch,
}

impl SpanBatch {
    /// Takes record batches of the schemas [`schema::SPANS`] and [`schema::EVENTS`].
    ///
    /// # Panics
    /// When a schema is another: that is a defect of the caller, not of the data.
    pub fn new(spans: RecordBatch, events: RecordBatch) -> Self {
        assert_eq!(
            spans.schema_ref().fields(),
            schema::SPANS.fields(),
            "spans have their schema"
        );
        assert_eq!(
            events.schema_ref().fields(),
            schema::EVENTS.fields(),
            "events have their schema"
        );
        Self { spans, events }
    }

    /// A batch without rows.
    pub fn empty() -> Self {
        Self {
            spans: RecordBatch::new_empty(schema::SPANS.clone()),
            events: RecordBatch::new_empty(schema::EVENTS.clone()),
        }
    }

    /// How many spans.
    pub fn len(&self) -> usize {
        self.spans.num_rows()
    }

    /// Whether there is neither span nor event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.events.num_rows() == 0
    }

    /// The spans.
    pub fn spans(&self) -> &RecordBatch {
        &self.spans
    }

    /// The events.
    pub fn events(&self) -> &RecordBatch {
        &self.events
    }

    /// Bytes that the arrays hold in memory.
    pub fn memory_bytes(&self) -> usize {
        self.spans.get_array_memory_size() + self.events.get_array_memory_size()
    }

    /// The spans' columns with their types.
    pub fn columns(&self) -> SpanColumns<'_> {
        SpanColumns::new(&self.spans, self.event_columns())
    }

    /// The events' columns with their types.
    pub fn event_columns(&self) -> EventColumns<'_> {
        EventColumns::new(&self.events)
    }
}
