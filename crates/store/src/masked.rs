//! A block of which something was deleted, until it is written anew without that.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use block::Block;
use hashbrown::HashMap;
use model::{
    AttributeScope, AttributeValue, Field, OperationCount, PartitionSummary, RowSet, Scan,
    ScanError, SpanBatch, SpanBatchBuilder, SpanId, TraceId,
};

use crate::deletion::{Deleted, Deletion};

/// Reads like a block that never had the rows. Its row numbers are its own: rows that are left move together.
#[derive(Debug)]
pub(crate) struct MaskedBlock {
    block: Arc<Block>,
    deletions: Vec<Arc<Deletion>>,
    deleted_rows: RowSet,
    deleted: Deleted,
    kept: KeptRows,
    partitions: Vec<PartitionSummary>,
    operations: Vec<OperationCount>,
}

impl MaskedBlock {
    /// What is left of a block, of which something may have been deleted before; `None` when it holds nothing that this deletion takes. It blocks.
    pub(crate) fn new(
        block: &Arc<Block>,
        before: Option<&Self>,
        deletion: &Arc<Deletion>,
    ) -> Result<Option<Self>, ScanError> {
        let mut deletions = before.map_or_else(Vec::new, |before| before.deletions.clone());
        let deleted_before = before.map_or(Deleted::default(), |before| before.deleted);
        let mut rows = deletion.rows_in(block)?;
        if let Some(before) = before {
            let all = rows.iter().chain(before.deleted_rows.iter());
            let mut all: Vec<usize> = all.collect();
            all.sort_unstable();
            rows = RowSet::from_sorted(all);
        }
        let takes_event = deletion.lone_events_in(block)? > 0;
        deletions.push(Arc::clone(deletion));
        let mut deleted = Deleted {
            spans: rows.len() as u64,
            events: deleted_before.events,
        };
        if takes_event {
            deleted.events = count_lone_events(block, &deletions)?;
        }
        if deleted == deleted_before {
            return Ok(None);
        }
        let kept = KeptRows::new(block.len(), &rows);
        let partitions = block.partitions().iter();
        let partitions = partitions.filter_map(|partition| {
            let rows = kept.outer_range(&partition.rows);
            (!rows.is_empty()).then(|| PartitionSummary {
                rows,
                ..partition.clone()
            })
        });
        Ok(Some(Self {
            partitions: partitions.collect(),
            operations: operations_without(block, &rows)?,
            block: Arc::clone(block),
            deletions,
            deleted_rows: rows,
            deleted,
            kept,
        }))
    }

    /// What was deleted of the block in all.
    pub(crate) fn deleted(&self) -> Deleted {
        self.deleted
    }

    /// The events without span that are left, some at a time.
    pub(crate) fn lone_event_batches(
        &self,
    ) -> impl Iterator<Item = Result<SpanBatch, ScanError>> + '_ {
        let batches = self.block.lone_event_batches();
        batches.map(|events| Ok(events_without(&events?, &self.deletions)))
    }
}

/// The events without span of a batch that no deletion takes.
fn events_without(events: &SpanBatch, deletions: &[Arc<Deletion>]) -> SpanBatch {
    let columns = events.columns();
    let mut builder = SpanBatchBuilder::new();
    for row in columns.events.lone_rows() {
        let mut deletions = deletions.iter();
        if !deletions.any(|deletion| deletion.takes_lone_event(&columns.events, row)) {
            builder.push_lone_event_row(&columns, row);
        }
    }
    builder.finish()
}

fn count_lone_events(block: &Block, deletions: &[Arc<Deletion>]) -> Result<u64, ScanError> {
    let mut count = 0;
    for events in block.lone_event_batches() {
        let events = events?;
        let columns = events.event_columns();
        let is_taken = |row: &usize| {
            let mut deletions = deletions.iter();
            deletions.any(|deletion| deletion.takes_lone_event(&columns, *row))
        };
        count += columns.lone_rows().filter(is_taken).count() as u64;
    }
    Ok(count)
}

fn operations_without(block: &Block, deleted: &RowSet) -> Result<Vec<OperationCount>, ScanError> {
    let mut counts: HashMap<(String, String, i32), u64> = HashMap::new();
    for rows in deleted.pieces(64 << 10) {
        let names = block.column(Field::Name, &rows)?;
        let kinds = block.column(Field::Kind, &rows)?;
        let services = block.column(Field::Service, &rows)?;
        let (names, services) = (
            names.as_string::<i32>(),
            services.as_dictionary::<Int32Type>(),
        );
        let kinds = kinds.as_primitive::<Int32Type>();
        let service_names = services.values().as_string::<i32>();
        for row in 0..rows.len() {
            let service = service_names.value(services.keys().value(row) as usize);
            let key = (
                service.to_owned(),
                names.value(row).to_owned(),
                kinds.value(row),
            );
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut operations = block.operations()?;
    for operation in &mut operations {
        let key = (
            operation.service.clone(),
            operation.name.clone(),
            operation.kind,
        );
        operation.spans -= counts.get(&key).copied().unwrap_or(0).min(operation.spans);
    }
    operations.retain(|operation| operation.spans > 0);
    Ok(operations)
}

impl Scan for MaskedBlock {
    fn len(&self) -> usize {
        self.kept.len
    }

    fn partitions(&self) -> &[PartitionSummary] {
        &self.partitions
    }

    fn may_have_attribute(&self, scope: AttributeScope, key: &str) -> bool {
        self.block.may_have_attribute(scope, key)
    }

    fn may_contain_trace(&self, trace_id: &TraceId) -> bool {
        self.deletions
            .iter()
            .all(|deletion| deletion.may_leave_of(trace_id))
            && self.block.may_contain_trace(trace_id)
    }

    fn trace_rows(&self, trace_id: &TraceId) -> Result<RowSet, ScanError> {
        Ok(self.kept.outer(&self.block.trace_rows(trace_id)?))
    }

    fn column(&self, field: Field, rows: &RowSet) -> Result<ArrayRef, ScanError> {
        self.block.column(field, &self.kept.inner(rows))
    }

    fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<RowSet, ScanError> {
        let rows = self.kept.inner(rows);
        let passed = self.block.filter_attribute(scope, key, &rows, test)?;
        Ok(self.kept.outer(&passed))
    }

    fn filter_event_name(&self, name: &str, rows: &RowSet) -> Result<RowSet, ScanError> {
        let passed = self.block.filter_event_name(name, &self.kept.inner(rows))?;
        Ok(self.kept.outer(&passed))
    }

    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError> {
        self.block.read(&self.kept.inner(rows))
    }

    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError> {
        if !self.may_contain_trace(trace_id) {
            return Ok(SpanBatch::empty());
        }
        let events = self.block.lone_events(trace_id)?;
        Ok(events_without(&events, &self.deletions))
    }

    fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<Vec<(TraceId, SpanId)>, ScanError> {
        if self.deleted.events == 0 || !self.may_have_attribute(AttributeScope::Event, key) {
            return self.block.spans_of_lone_events(key, since_unix_nano, test);
        }
        let mut found = Vec::new();
        for events in self.lone_event_batches() {
            let passed = events?.spans_of_lone_events(key, since_unix_nano, test);
            found.extend(passed.map_err(|error| ScanError {
                source_name: self.block.meta().id.to_string(),
                reason: error.to_string(),
            })?);
        }
        Ok(found)
    }

    fn operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        Ok(self.operations.clone())
    }
}

/// Rows of a table (inner) that are left, and their numbers when they have moved together (outer).
#[derive(Debug)]
struct KeptRows {
    /// Inner ranges with the outer number of their first row.
    ranges: Vec<(std::ops::Range<usize>, usize)>,
    len: usize,
}

impl KeptRows {
    fn new(len: usize, deleted: &RowSet) -> Self {
        let mut kept = Self {
            ranges: Vec::new(),
            len: 0,
        };
        let mut next = 0;
        for gap in deleted
            .ranges()
            .iter()
            .cloned()
            .chain(std::iter::once(len..len))
        {
            if next < gap.start {
                kept.ranges.push((next..gap.start, kept.len));
                kept.len += gap.start - next;
            }
            next = gap.end;
        }
        kept
    }

    /// The outer rows of an inner range.
    fn outer_range(&self, inner: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.outer_from(inner.start)..self.outer_from(inner.end)
    }

    /// How many rows before an inner row are left.
    fn outer_from(&self, inner: usize) -> usize {
        let after = self
            .ranges
            .partition_point(|(range, _)| range.start < inner);
        let Some((range, first)) = after
            .checked_sub(1)
            .and_then(|place| self.ranges.get(place))
        else {
            return 0;
        };
        first + inner.min(range.end) - range.start
    }

    /// Those of some inner rows that are left, as outer rows.
    fn outer(&self, inner: &RowSet) -> RowSet {
        RowSet::from_sorted_ranges(inner.ranges().iter().map(|range| self.outer_range(range)))
    }

    /// The inner rows of some outer rows.
    fn inner(&self, outer: &RowSet) -> RowSet {
        let mut inner = Vec::new();
        for wanted in outer.ranges() {
            let from = self
                .ranges
                .partition_point(|(range, first)| first + range.len() <= wanted.start);
            for (range, first) in &self.ranges[from..] {
                let (start, end) = (
                    wanted.start.max(*first),
                    wanted.end.min(first + range.len()),
                );
                if start >= end {
                    break;
                }
                inner.push(range.start + start - first..range.start + end - first);
            }
        }
        RowSet::from_sorted_ranges(inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_left_move_together() {
        let kept = KeptRows::new(10, &RowSet::from_sorted([0, 3, 4, 9]));
        let inner: Vec<usize> = kept.inner(&RowSet::range(0..6)).iter().collect();
        assert_eq!((kept.len, inner), (6, vec![1, 2, 5, 6, 7, 8]));
        assert_eq!(
            kept.inner(&RowSet::from_sorted([1, 2, 5])),
            RowSet::from_sorted([2, 5, 8])
        );
        assert_eq!(
            kept.outer(&RowSet::from_sorted([0, 1, 4, 5, 8, 9])),
            RowSet::from_sorted([0, 2, 5])
        );
        assert_eq!(kept.outer_range(&(0..1)), 0..0);
        assert_eq!(kept.outer_range(&(2..6)), 1..3);
        let none = KeptRows::new(2, &RowSet::range(0..2));
        assert_eq!((none.len, none.outer_range(&(0..2))), (0, 0..0));
    }
}
