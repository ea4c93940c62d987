//! The columns of a span batch.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef};

fn dictionary(value: DataType) -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
}

/// One row a span.
///
/// `resource` and `scope` are *envelopes*: the bytes of `ResourceSpans` and `ScopeSpans` without their spans, verbatim, so that presence,
/// schema URLs and fields of later versions of OTLP survive. `attributes` is a `KeyValueList`; `links` a message whose field 1 repeats `Link`.
pub static SPANS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("span_id", DataType::FixedSizeBinary(8), false),
        Field::new("parent_span_id", DataType::FixedSizeBinary(8), true),
        Field::new("start_unix_nano", DataType::UInt64, false),
        Field::new("end_unix_nano", DataType::UInt64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("kind", DataType::Int32, false),
        Field::new("status_code", DataType::Int32, true),
        Field::new("status_message", DataType::Utf8, true),
        Field::new("service", dictionary(DataType::Utf8), false),
        Field::new("resource", dictionary(DataType::Binary), false),
        Field::new("scope", dictionary(DataType::Binary), false),
        Field::new("attributes", DataType::Binary, false),
        Field::new("dropped_attributes_count", DataType::UInt32, false),
        Field::new("dropped_events_count", DataType::UInt32, false),
        Field::new("links", DataType::Binary, true),
        Field::new("dropped_links_count", DataType::UInt32, false),
        Field::new("trace_state", DataType::Utf8, true),
        Field::new("flags", DataType::UInt32, false),
    ]))
});

/// One row an event. `span_row` is the row of its span in the same batch, and null for an event that came without its span;
/// rows are sorted by it, those without come last. `resource` and `scope` are set only for events that came without their span, also where they joined it since.
pub static EVENTS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("span_id", DataType::FixedSizeBinary(8), false),
        Field::new("span_row", DataType::UInt32, true),
        Field::new("time_unix_nano", DataType::UInt64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("attributes", DataType::Binary, false),
        Field::new("dropped_attributes_count", DataType::UInt32, false),
        Field::new("resource", DataType::Binary, true),
        Field::new("scope", DataType::Binary, true),
    ]))
});
