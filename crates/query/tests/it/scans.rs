//! Spans spread over scans in any way.

use std::sync::Arc;

use arrow_array::ArrayRef;
use model::{
    AttributeScope, AttributeValue, Field, OperationCount, PartitionSummary, RowSet, Scan,
    ScanError, SpanBatch, TraceId,
};
use proptest::prelude::*;
use store::{MemoryScan, Snapshot};

use crate::naive::{Span, any_span, batch};

/// A memory scan that is cut into several partitions, as blocks are.
struct Partitioned {
    scan: MemoryScan,
    partitions: Vec<PartitionSummary>,
}

impl Partitioned {
    fn new(spans: &[Span], rows_each: usize) -> Self {
        let starts: Vec<u64> = spans.iter().map(|span| span.start).collect();
        let partitions = starts.chunks(rows_each).enumerate().map(|(index, starts)| {
            let first = index * rows_each;
            PartitionSummary {
                rows: first..first + starts.len(),
                min_start_unix_nano: *starts.iter().min().unwrap(),
                max_start_unix_nano: *starts.iter().max().unwrap(),
            }
        });
        Self {
            partitions: partitions.collect(),
            scan: MemoryScan::new(batch(spans)),
        }
    }
}

impl Scan for Partitioned {
    fn len(&self) -> usize {
        self.scan.len()
    }

    fn partitions(&self) -> &[PartitionSummary] {
        &self.partitions
    }

    fn may_have_attribute(&self, scope: AttributeScope, key: &str) -> bool {
        self.scan.may_have_attribute(scope, key)
    }

    fn may_contain_trace(&self, trace_id: &TraceId) -> bool {
        self.scan.may_contain_trace(trace_id)
    }

    fn trace_rows(&self, trace_id: &TraceId) -> Result<RowSet, ScanError> {
        self.scan.trace_rows(trace_id)
    }

    fn column(&self, field: Field, rows: &RowSet) -> Result<ArrayRef, ScanError> {
        self.scan.column(field, rows)
    }

    fn filter_attribute(
        &self,
        scope: AttributeScope,
        key: &str,
        rows: &RowSet,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<RowSet, ScanError> {
        self.scan.filter_attribute(scope, key, rows, test)
    }

    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError> {
        self.scan.read(rows)
    }

    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError> {
        self.scan.lone_events(trace_id)
    }

    fn operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        self.scan.operations()
    }
}

/// One scan with these spans.
pub(crate) fn snapshot(spans: &[Span]) -> Snapshot {
    Snapshot::new(vec![MemoryScan::new(batch(spans)).into_scan()])
}

/// Spans, and how they are kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The spans of each scan, repeats included.
    scans: Vec<Vec<Span>>,
    rows_each: usize,
}

impl Kept {
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.scans.concat()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let scan =
            |spans: &Vec<Span>| Arc::new(Partitioned::new(spans, self.rows_each)) as Arc<dyn Scan>;
        Snapshot::new(self.scans.iter().map(scan).collect())
    }
}

/// Spans in any order on any scan, some of them more than once.
pub(crate) fn any_kept() -> impl Strategy<Value = Kept> {
    let placed = (
        any_span(),
        0usize..4,
        proptest::option::weighted(0.3, 0usize..4),
    );
    (proptest::collection::vec(placed, 0..60), 1usize..20).prop_map(|(placed, rows_each)| {
        let mut scans = vec![Vec::new(); 4];
        for (span, scan, repeat) in placed {
            scans[scan].push(span.clone());
            if let Some(scan) = repeat {
                scans[scan].push(span);
            }
        }
        Kept { scans, rows_each }
    })
}
