//! The one way to read spans: memtable and block answer the same calls, so that a query does not know which it reads.

use std::ops::Range;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;

use crate::{AttributeValue, SpanBatch, SpanId, TraceId};

/// A set of rows of one [`Scan`]: sorted, disjoint, non-empty ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowSet {
    ranges: Vec<Range<usize>>,
}

impl RowSet {
    /// The rows of one range.
    pub fn range(range: Range<usize>) -> Self {
        Self {
            ranges: if range.is_empty() {
                Vec::new()
            } else {
                vec![range]
            },
        }
    }

    /// Rows given in ascending order; neighbours are joined, repeats ignored.
    pub fn from_sorted(rows: impl IntoIterator<Item = usize>) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for row in rows {
            match ranges.last_mut() {
                Some(last) if row < last.end => {}
                Some(last) if row == last.end => last.end += 1,
                _ => ranges.push(row..row + 1),
            }
        }
        Self { ranges }
    }

    /// Ranges given in ascending order that do not overlap; neighbours are joined, empty ones ignored.
    pub fn from_sorted_ranges(given: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for range in given.into_iter().filter(|range| !range.is_empty()) {
            match ranges.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => ranges.push(range),
            }
        }
        Self { ranges }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.ranges.iter().map(ExactSizeIterator::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// The rows, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// The same rows in sets of at most `max_rows`.
    pub fn pieces(&self, max_rows: usize) -> impl Iterator<Item = Self> + '_ {
        let cut = move |range: &Range<usize>| {
            let end = range.end;
            range
                .clone()
                .step_by(max_rows)
                .map(move |from| Self::range(from..end.min(from + max_rows)))
        };
        self.ranges.iter().flat_map(cut)
    }

    /// Keeps the rows whose bit is set; `mask` has one bit for each row of this set, in order.
    pub fn filter(&self, mask: &BooleanBuffer) -> Self {
        debug_assert_eq!(mask.len(), self.len(), "one bit for each row");
        let mut kept: Vec<Range<usize>> = Vec::new();
        let mut base = 0;
        for range in &self.ranges {
            for (from, to) in mask.slice(base, range.len()).set_slices() {
                let (from, to) = (range.start + from, range.start + to);
                match kept.last_mut() {
                    Some(last) if last.end == from => last.end = to,
                    _ => kept.push(from..to),
                }
            }
            base += range.len();
        }
        Self { ranges: kept }
    }
}

/// Where an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeScope {
    /// On the span.
    Span,
    /// On the resource that made the span.
    Resource,
    /// On one of the span's events.
    Event,
    /// On the instrumentation scope; its name and version are `name` and `version` here.
    Instrumentation,
}

/// The columns that every span has. [`Scan::column`] gives each as the Arrow type named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `FixedSizeBinary(16)`.
    TraceId,
    /// `FixedSizeBinary(8)`.
    SpanId,
    /// `FixedSizeBinary(8)`, null for a span without parent.
    ParentSpanId,
    /// `UInt64`, nanoseconds since 1970.
    Start,
    /// `UInt64`, nanoseconds since 1970.
    End,
    /// `Utf8`.
    Name,
    /// `Int32`, OTLP's number.
    Kind,
    /// `Int32`, OTLP's number; null when the span has no status.
    StatusCode,
    /// `Dictionary(Int32, Utf8)`.
    Service,
}

/// A range of rows that is read together, with what is known of it without reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSummary {
    /// The rows of the scan that it covers.
    pub rows: Range<usize>,
    /// The earliest start of a span in it, nanoseconds since 1970.
    pub min_start_unix_nano: u64,
    /// The latest start of a span in it.
    pub max_start_unix_nano: u64,
}

/// One operation of a service and how many spans it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationCount {
    /// The service's name.
    pub service: String,
    /// The spans' name.
    pub name: String,
    /// OTLP's number of the kind.
    pub kind: i32,
    /// How many spans, repeats included.
    pub spans: u64,
}

/// Why a part of the data could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct ScanError {
    /// The file or table.
    pub source_name: String,
    /// What went wrong.
    pub reason: String,
}

/// A table of spans that does not change.
///
/// Calls may read files: they block, and belong on a blocking thread. Row numbers are those of this scan, `0..len()`.
pub trait Scan: Send + Sync {
    /// How many spans, repeats included.
    fn len(&self) -> usize;

    /// Whether there is no span.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The parts in row order; together they cover all rows.
    fn partitions(&self) -> &[PartitionSummary];

    /// `false` proves that no row has the attribute; answered from memory.
    fn may_have_attribute(&self, scope: AttributeScope, key: &str) -> bool;

    /// `false` proves that neither a span nor an event of the trace is here; answered from memory.
    fn may_contain_trace(&self, trace_id: &TraceId) -> bool;

    /// The rows of a trace.
    fn trace_rows(&self, trace_id: &TraceId) -> Result<RowSet, ScanError>;

    /// A column's values for `rows`, in row order.
    fn column(&self, field: Field, rows: &RowSet) -> Result<ArrayRef, ScanError>;

    /// Those of `rows` that have at least one value of the attribute for which `test` holds.
    fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<RowSet, ScanError>;

    /// Those of `rows` that have an event of this name.
    fn filter_event_name(&self, name: &str, rows: &RowSet) -> Result<RowSet, ScanError>;

    /// Everything about `rows`, in row order, with the events of these spans.
    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError>;

    /// Events of the trace that came without their span (exceptions from log records), as a batch without spans.
    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError>;

    /// The trace and span that are named by each event that came without its span, did not happen before `since_unix_nano` as far as is known (an event without
    /// a time may have happened at any), and has a value of the attribute for which `test` holds. Their spans may be in other scans, or nowhere.
    fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<Vec<(TraceId, SpanId)>, ScanError>;

    /// The distinct operations with their number of spans, in no particular order.
    fn operations(&self) -> Result<Vec<OperationCount>, ScanError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filtering_keeps_the_rows_whose_bit_is_set() {
        let rows = RowSet::from_sorted([1, 2, 3, 7, 8, 20]);
        assert_eq!(rows.ranges(), &[1..4, 7..9, 20..21]);
        assert_eq!(rows.len(), 6);
        let mask = BooleanBuffer::from_iter([false, true, true, true, false, true]);
        let kept = rows.filter(&mask);
        assert_eq!(kept.iter().collect::<Vec<_>>(), [2, 3, 7, 20]);
        assert_eq!(
            RowSet::range(0..2).filter(&BooleanBuffer::new_set(2)),
            RowSet::range(0..2)
        );
        assert!(RowSet::range(3..3).is_empty());
        assert_eq!(
            RowSet::from_sorted_ranges([1..3, 3..4, 6..6, 7..9, 20..21]),
            rows
        );
        let pieces: Vec<RowSet> = rows.pieces(2).collect();
        let expected = [1..3, 3..4, 7..9, 20..21].map(RowSet::range);
        assert_eq!(pieces, expected);
    }
}
