//! The rows of spans and traces.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int32Builder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take;
use model::{SpanBatch, SpanColumns, TraceId};

use super::order::RowOrder;

pub(crate) fn span_fields() -> Vec<Field> {
    let dictionary =
        |value: DataType| DataType::Dictionary(Box::new(DataType::Int32), Box::new(value));
    vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("span_id", DataType::FixedSizeBinary(8), false),
        // The parent's id only where `parent_delta` can't say it.
        Field::new("parent_span_id", DataType::FixedSizeBinary(8), true),
        Field::new("parent_delta", DataType::Int32, true),
        Field::new("start_unix_nano", DataType::UInt64, false),
        // Null when the end is before the start or missing: `end_unix_nano` has it then.
        Field::new("duration_nano", DataType::UInt64, true),
        Field::new("end_unix_nano", DataType::UInt64, true),
        Field::new("name", DataType::Utf8, false),
        Field::new("kind", DataType::Int32, false),
        Field::new("status_code", DataType::Int32, true),
        Field::new("status_message", DataType::Utf8, true),
        Field::new("service", dictionary(DataType::Utf8), false),
        Field::new("resource", dictionary(DataType::Binary), false),
        Field::new("scope", dictionary(DataType::Binary), false),
        Field::new("dropped_attributes_count", DataType::UInt32, false),
        Field::new("dropped_events_count", DataType::UInt32, false),
        Field::new("links", DataType::Binary, true),
        Field::new("dropped_links_count", DataType::UInt32, false),
        Field::new("trace_state", DataType::Utf8, true),
        Field::new("flags", DataType::UInt32, false),
    ]
}

pub(super) fn span_arrays(
    batch: &SpanBatch,
    rows: &[u32],
    parent_deltas: &[Option<i32>],
) -> Result<Vec<ArrayRef>, parquet::errors::ParquetError> {
    let columns = batch.columns();
    let mut parent_span_id = FixedSizeBinaryBuilder::new(8);
    let mut parent_delta = Int32Builder::new();
    let mut duration = UInt64Builder::new();
    let mut end = UInt64Builder::new();
    for (row, delta) in rows.iter().map(|row| *row as usize).zip(parent_deltas) {
        parent_delta.append_option(*delta);
        match columns.parent_span_id(row) {
            Some(parent) if delta.is_none() => parent_span_id.append_value(parent.0)?,
            _ => parent_span_id.append_null(),
        }
        let ended = columns
            .ends
            .value(row)
            .checked_sub(columns.starts.value(row));
        duration.append_option(ended);
        end.append_option(ended.is_none().then(|| columns.ends.value(row)));
    }
    let indices = UInt32Array::from(rows.to_vec());
    let taken = |name: &str| -> Result<ArrayRef, parquet::errors::ParquetError> {
        let index = batch.spans().schema_ref().index_of(name)?;
        Ok(take(batch.spans().column(index), &indices, None)?)
    };
    Ok(vec![
        taken("trace_id")?,
        taken("span_id")?,
        Arc::new(parent_span_id.finish()),
        Arc::new(parent_delta.finish()),
        taken("start_unix_nano")?,
        Arc::new(duration.finish()),
        Arc::new(end.finish()),
        taken("name")?,
        taken("kind")?,
        taken("status_code")?,
        taken("status_message")?,
        taken("service")?,
        taken("resource")?,
        taken("scope")?,
        taken("dropped_attributes_count")?,
        taken("dropped_events_count")?,
        taken("links")?,
        taken("dropped_links_count")?,
        taken("trace_state")?,
        taken("flags")?,
    ])
}

pub(crate) fn trace_rows(
    columns: &SpanColumns<'_>,
    order: &RowOrder,
    traces: &[(TraceId, Range<usize>)],
) -> Result<RecordBatch, arrow_schema::ArrowError> {
    let mut trace_id = FixedSizeBinaryBuilder::with_capacity(traces.len(), 16);
    let mut first_row = UInt32Builder::new();
    let mut spans = UInt32Builder::new();
    let mut errors = UInt32Builder::new();
    let mut start = UInt64Builder::new();
    let mut end = UInt64Builder::new();
    let mut root_service = StringBuilder::new();
    let mut root_name = StringBuilder::new();
    for (id, range) in traces {
        let rows = || order.rows[range.clone()].iter().map(|row| *row as usize);
        let root = rows().find(|row| columns.parent_span_id(*row).is_none_or(|id| id.is_zero()));
        trace_id.append_value(id.0)?;
        first_row.append_value(range.start as u32);
        spans.append_value(range.len() as u32);
        errors.append_value(rows().filter(|row| columns.status_code(*row) == 2).count() as u32);
        start.append_value(
            rows()
                .map(|row| columns.starts.value(row))
                .min()
                .unwrap_or(0),
        );
        end.append_value(rows().map(|row| columns.ends.value(row)).max().unwrap_or(0));
        root_service.append_option(root.map(|row| columns.service(row)));
        root_name.append_option(root.map(|row| columns.names.value(row)));
    }
    let schema = Schema::new(vec![
        Field::new("trace_id", DataType::FixedSizeBinary(16), false),
        Field::new("first_row", DataType::UInt32, false),
        Field::new("spans", DataType::UInt32, false),
        Field::new("errors", DataType::UInt32, false),
        Field::new("start_unix_nano", DataType::UInt64, false),
        Field::new("end_unix_nano", DataType::UInt64, false),
        Field::new("root_service", DataType::Utf8, true),
        Field::new("root_name", DataType::Utf8, true),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(trace_id.finish()),
        Arc::new(first_row.finish()),
        Arc::new(spans.finish()),
        Arc::new(errors.finish()),
        Arc::new(start.finish()),
        Arc::new(end.finish()),
        Arc::new(root_service.finish()),
        Arc::new(root_name.finish()),
    ];
    RecordBatch::try_new(Arc::new(schema), arrays)
}
