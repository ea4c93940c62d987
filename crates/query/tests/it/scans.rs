//! Spans spread over scans in any way.

use std::path::Path;
use std::sync::Arc;

use arrow_array::ArrayRef;
use block::{ArrivedRange, Block, BlockId, Window};
use host::sim::SimHost;
use model::{
    AttributeScope, AttributeValue, Field, OperationCount, PartitionSummary, RowSet, Scan,
    ScanError, SpanBatch, SpanId, TraceId,
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

    fn filter_event_name(&self, name: &str, rows: &RowSet) -> Result<RowSet, ScanError> {
        self.scan.filter_event_name(name, rows)
    }

    fn read(&self, rows: &RowSet) -> Result<SpanBatch, ScanError> {
        self.scan.read(rows)
    }

    fn lone_events(&self, trace_id: &TraceId) -> Result<SpanBatch, ScanError> {
        self.scan.lone_events(trace_id)
    }

    fn spans_of_lone_events(
        &self,
        key: &str,
        since_unix_nano: u64,
        test: &dyn Fn(AttributeValue<'_>) -> bool,
    ) -> Result<Vec<(TraceId, SpanId)>, ScanError> {
        self.scan.spans_of_lone_events(key, since_unix_nano, test)
    }

    fn operations(&self) -> Result<Vec<OperationCount>, ScanError> {
        self.scan.operations()
    }
}

/// The spans as a block on a simulated disk.
fn block_of(spans: &[Span]) -> Block {
    let host = SimHost::new(1).host();
    let window_dir = Path::new("default/h0");
    let id = BlockId::random(&*host.random);
    let arrived = ArrivedRange {
        min_unix_nano: 0,
        max_unix_nano: 0,
    };
    let window = Window::Hour(0);
    let meta = block::write(&host, window_dir, &id, window, arrived, &batch(spans)).unwrap();
    Block::open(&host, window_dir, &meta).unwrap()
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
    /// The last so many scans are blocks, the others memtables.
    blocks: usize,
}

impl Kept {
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.scans.concat()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let memtables = self.scans.len() - self.blocks;
        let scans = self.scans.iter().enumerate().map(|(number, spans)| {
            if number < memtables || spans.is_empty() {
                Arc::new(Partitioned::new(spans, self.rows_each)) as Arc<dyn Scan>
            } else {
                Arc::new(block_of(spans))
            }
        });
        Snapshot::new(scans.collect())
    }
}

/// Spans in any order on any scan, some of them more than once.
pub(crate) fn any_kept() -> impl Strategy<Value = Kept> {
    let placed = (
        any_span(),
        0usize..4,
        proptest::option::weighted(0.3, 0usize..4),
    );
    // A block takes much longer to make than a memtable.
    let blocks = prop_oneof![5 => Just(0usize), 1 => 1usize..=4];
    (proptest::collection::vec(placed, 0..60), 1usize..20, blocks).prop_map(
        |(placed, rows_each, blocks)| {
            let mut scans = vec![Vec::new(); 4];
            for (span, scan, repeat) in placed {
                scans[scan].push(span.clone());
                if let Some(scan) = repeat {
                    scans[scan].push(span);
                }
            }
            Kept {
                scans,
                rows_each,
                blocks,
            }
        },
    )
}
