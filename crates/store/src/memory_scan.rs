//! A span batch in memory, read like a block.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_select::take::take;
use hashbrown::HashMap;
use model::batch::EventColumns;
use model::{
    AttributeScope, AttributeValue, Field, OperationCount, PartitionSummary, RowSet, Scan,
    ScanError, SpanBatch, SpanBatchBuilder, SpanId, TraceId, WireError,
};

/// A [`SpanBatch`] with an index of its traces.
#[derive(Debug)]
pub struct MemoryScan {
    batch: SpanBatch,
    partitions: Vec<PartitionSummary>,
    /// Rows ordered by trace id, then row.
    by_trace: Vec<u32>,
}

impl MemoryScan {
    /// Indexes a batch.
    pub fn new(batch: SpanBatch) -> Self {
        let columns = batch.columns();
        let mut by_trace: Vec<u32> = (0..columns.len() as u32).collect();
        by_trace.sort_by_key(|row| columns.trace_id(*row as usize));
        let starts = columns.starts.values();
        let partitions = match (starts.iter().min(), starts.iter().max()) {
            (Some(min), Some(max)) => vec![PartitionSummary {
                rows: 0..starts.len(),
                min_start_unix_nano: *min,
                max_start_unix_nano: *max,
            }],
            _ => Vec::new(),
        };
        Self {
            batch,
            partitions,
            by_trace,
        }
    }

    /// The batch.
    pub fn batch(&self) -> &SpanBatch {
        &self.batch
    }

    fn rows_of(&self, trace_id: &TraceId) -> &[u32] {
        let columns = self.batch.columns();
        let from = self
            .by_trace
            .partition_point(|row| columns.trace_id(*row as usize) < *trace_id);
        let rest = &self.by_trace[from..];
        &rest[..rest.partition_point(|row| columns.trace_id(*row as usize) == *trace_id)]
    }

    fn lone_event_rows(&self, trace_id: &TraceId) -> impl Iterator<Item = usize> {
        let events: EventColumns<'_> = self.batch.event_columns();
        events
            .lone_rows()
            .filter(move |row| events.trace_id(*row) == *trace_id)
    }
}

fn unreadable(error: WireError) -> ScanError {
    ScanError {
        source_name: "memtable".to_owned(),
        reason: error.to_string(),
    }
}

impl Scan for MemoryScan {
    fn len(&self) -> usize {
        self.batch.len()
    }

    fn partitions(&self) -> &[PartitionSummary] {
        &self.partitions
    }

    fn may_have_attribute(&self, _: AttributeScope, _: &str) -> bool {
        true
    }

    fn may_contain_trace(&self, trace_id: &TraceId) -> bool {
        !self.rows_of(trace_id).is_empty() || self.lone_event_rows(trace_id).next().is_some()
    }

    fn trace_rows(&self, trace_id: &TraceId) -> Result<RowSet, ScanError> {
        Ok(RowSet::from_sorted(
            self.rows_of(trace_id).iter().map(|row| *row as usize),
        ))
    }

    fn column(&self, field: Field, rows: &RowSet) -> Result<ArrayRef, ScanError> {
        let column = self.batch.spans().column(match field {
            Field::TraceId => 0,
            Field::SpanId => 1,
            Field::ParentSpanId => 2,
            Field::Start => 3,
            Field::End => 4,
            Field::Name => 5,
            Field::Kind => 6,
            Field::StatusCode => 7,
            Field::Service => 9,
        });
        if let [range] = rows.ranges() {
            return Ok(column.slice(range.start, range.len()));
        }
        let indices = UInt64Array::from_iter_values(rows.iter().map(|row| row as u64));
        take(column, &indices, None).map_err(|error| ScanError {
            source_name: "memtable".to_owned(),
            reason: error.to_string(),
        })
    }

    fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<RowSet, ScanError> {
        self.batch
            .filter_attribute(scope, key, rows, test)
            .map_err(unreadable)
    }

    fn filter_event_name(&self, name: &str, rows: &RowSet) -> Result<RowSet, ScanError> {
        Ok(self.batch.filter_event_name(name, rows))
    }

    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError> {
        let columns = self.batch.columns();
        let mut builder = SpanBatchBuilder::new();
        for row in rows.iter() {
            builder.push_row(&columns, row);
        }
        Ok(builder.finish())
    }

    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError> {
        let columns = self.batch.columns();
        let mut builder = SpanBatchBuilder::new();
        for row in self.lone_event_rows(trace_id) {
            builder.push_lone_event_row(&columns, row);
        }
        Ok(builder.finish())
    }

    fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<Vec<(TraceId, SpanId)>, ScanError> {
        self.batch
            .spans_of_lone_events(key, since_unix_nano, test)
            .map_err(unreadable)
    }

    fn operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        let columns = self.batch.columns();
        let mut counts: HashMap<(&str, &str, i32), u64> = HashMap::new();
        for row in 0..columns.len() {
            let key = (
                columns.service(row),
                columns.names.value(row),
                columns.kinds.value(row),
            );
            *counts.entry(key).or_default() += 1;
        }
        Ok(counts
            .into_iter()
            .map(|((service, name, kind), spans)| OperationCount {
                service: service.to_owned(),
                name: name.to_owned(),
                kind,
                spans,
            })
            .collect())
    }
}

impl From<SpanBatch> for MemoryScan {
    fn from(batch: SpanBatch) -> Self {
        Self::new(batch)
    }
}

impl MemoryScan {
    /// The scan behind a shared pointer, as a snapshot holds it.
    pub fn into_scan(self) -> Arc<dyn Scan> {
        Arc::new(self)
    }
}
