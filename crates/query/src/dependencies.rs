//! Who calls whom.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use arrow_array::Array as _;
use arrow_buffer::BooleanBuffer;
use model::{RowSet, Scan, ScanError, SpanId, TraceId};
use store::Snapshot;

use crate::columns::{self, ServiceNames};
use crate::condition::started_in;
use crate::tree::{self, Node};
use crate::{Budget, QueryError};

/// Spans that are joined with their parents at one time. A larger store is read several times, each time for a share of its
/// traces: memory stays bounded whatever the range.
const SPANS_AT_ONCE: usize = 1 << 20;
const KIND_CLIENT: i32 = 3;
const STATUS_ERROR: i32 = 2;

/// One service calls another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The service of the parent span.
    pub parent: String,
    /// The service of the child span.
    pub child: String,
    /// How many spans of the child's service have a parent of the parent's.
    pub calls: u64,
    /// How many of them failed: by the child span, or by a client span that is its parent.
    pub errors: u64,
}

/// Who calls whom, sorted by parent and child.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependencies {
    /// The calls.
    pub edges: Vec<Dependency>,
    /// Whether the time was over before all traces were counted.
    pub truncated: bool,
}

/// Counts the calls between different services among the spans that started in a range; a call counts when caller and callee did.
pub fn dependencies(
    snapshot: &Snapshot,
    starts: RangeInclusive<u64>,
    budget: &Budget<'_>,
) -> Result<Dependencies, QueryError> {
    count(snapshot, &starts, budget, SPANS_AT_ONCE)
}

fn count(
    snapshot: &Snapshot,
    starts: &RangeInclusive<u64>,
    budget: &Budget<'_>,
    spans_at_once: usize,
) -> Result<Dependencies, QueryError> {
    let mut partitions: Vec<(&dyn Scan, RowSet)> = Vec::new();
    for scan in snapshot.scans() {
        for partition in scan.partitions() {
            if partition.min_start_unix_nano <= *starts.end()
                && partition.max_start_unix_nano >= *starts.start()
            {
                partitions.push((&**scan, RowSet::range(partition.rows.clone())));
            }
        }
    }
    let spans: usize = partitions.iter().map(|(_, rows)| rows.len()).sum();
    let shares = spans.div_ceil(spans_at_once).max(1) as u64;

    let mut services = ServiceNames::default();
    let mut calls: BTreeMap<(u32, u32), Calls> = BTreeMap::new();
    let mut truncated = false;
    'shares: for share in 0..shares {
        let mut nodes: Vec<TraceNode> = Vec::new();
        for (scan, rows) in &partitions {
            if (budget.is_over)() {
                truncated = true;
                break 'shares;
            }
            let rows = started_in(*scan, rows, starts)?;
            let rows = of_share(*scan, rows, share, shares)?;
            read_nodes(*scan, &rows, &mut services, &mut nodes)?;
        }
        count_calls(nodes, &mut calls);
    }

    let mut edges: Vec<Dependency> = calls
        .into_iter()
        .map(|((parent, child), calls)| Dependency {
            parent: services.name(parent).to_owned(),
            child: services.name(child).to_owned(),
            calls: calls.all,
            errors: calls.failed,
        })
        .collect();
    edges.sort_by(|left, right| (&left.parent, &left.child).cmp(&(&right.parent, &right.child)));
    Ok(Dependencies { edges, truncated })
}

/// The rows of the traces that one reading is for.
fn of_share(scan: &dyn Scan, rows: RowSet, share: u64, shares: u64) -> Result<RowSet, ScanError> {
    if shares == 1 || rows.is_empty() {
        return Ok(rows);
    }
    let traces = columns::trace_ids(scan, &rows)?;
    let mask =
        BooleanBuffer::collect_bool(rows.len(), |row| mixed(&traces.get(row)) % shares == share);
    Ok(rows.filter(&mask))
}

/// Spreads ids evenly, also those that a client counts up.
fn mixed(trace: &TraceId) -> u64 {
    let id = u128::from_be_bytes(trace.0);
    let folded = (id >> 64) as u64 ^ id as u64;
    (folded ^ folded >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

/// A span, and what makes it a repeat of another: more is not compared here. So of two spans that share an id and a start, another one
/// may count as the earlier than in [`crate::trace()`]; that matters to a child whose own service has neither.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TraceNode {
    trace_id: TraceId,
    start_unix_nano: u64,
    span_id: SpanId,
    end_unix_nano: u64,
    parent: Option<SpanId>,
    service: u32,
    kind: i32,
    is_error: bool,
}

impl TraceNode {
    /// Whether `other` is a repeat, of which the error is kept.
    fn absorb(&mut self, other: &Self) -> bool {
        let is_error = self.is_error || other.is_error;
        let is_repeat = Self { is_error, ..*self } == Self { is_error, ..*other };
        if is_repeat {
            self.is_error = is_error;
        }
        is_repeat
    }
}

/// Calls from one service to another.
#[derive(Default)]
struct Calls {
    all: u64,
    failed: u64,
}

fn read_nodes(
    scan: &dyn Scan,
    rows: &RowSet,
    names: &mut ServiceNames,
    nodes: &mut Vec<TraceNode>,
) -> Result<(), ScanError> {
    if rows.is_empty() {
        return Ok(());
    }
    let trace_ids = columns::trace_ids(scan, rows)?;
    let span_ids = columns::span_ids(scan, rows)?;
    let parents = columns::parent_span_ids(scan, rows)?;
    let (starts, ends) = (columns::starts(scan, rows)?, columns::ends(scan, rows)?);
    let kinds = columns::kinds(scan, rows)?;
    let status_codes = columns::status_codes(scan, rows)?;
    let services = columns::services(scan, rows)?;
    let numbers = names.numbers_of(&services);
    nodes.extend((0..rows.len()).map(|row| TraceNode {
        trace_id: trace_ids.get(row),
        start_unix_nano: starts.value(row),
        span_id: span_ids.get(row),
        end_unix_nano: ends.value(row),
        parent: parents.get_parent(row),
        service: numbers[services.keys().value(row) as usize],
        kind: kinds.value(row),
        is_error: status_codes.is_valid(row) && status_codes.value(row) == STATUS_ERROR,
    }));
    Ok(())
}

fn count_calls(mut spans: Vec<TraceNode>, calls: &mut BTreeMap<(u32, u32), Calls>) {
    spans.sort_unstable();
    spans.dedup_by(|later, earlier| earlier.absorb(later));
    for trace in spans.chunk_by(|left, right| left.trace_id == right.trace_id) {
        let nodes: Vec<Node> = trace
            .iter()
            .map(|node| Node {
                span_id: node.span_id,
                parent: node.parent,
                start_unix_nano: node.start_unix_nano,
                service: node.service,
                kind: node.kind,
            })
            .collect();
        for (child, parent) in tree::link(&nodes).parents.iter().enumerate() {
            if let Some(parent) = parent {
                let (parent, child) = (&trace[*parent as usize], &trace[child]);
                if parent.service != child.service {
                    let calls = calls.entry((parent.service, child.service)).or_default();
                    calls.all += 1;
                    let is_failed =
                        child.is_error || (parent.kind == KIND_CLIENT && parent.is_error);
                    calls.failed += u64::from(is_failed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use backtrail_wire::otlp::{AnyValue, SpanFields, put_key_value, put_span};
    use backtrail_wire::protobuf::put_message;
    use model::SpanBatch;
    use store::MemoryScan;

    use super::*;

    fn put_call(out: &mut Vec<u8>, trace: u8, service: &str, span: u8, parent: &[u8]) {
        put_message(out, 1, |out| {
            put_message(out, 1, |out| {
                put_key_value(out, 1, "service.name", AnyValue::String(service));
            });
            put_message(out, 2, |out| {
                put_message(out, 2, |out| {
                    let fields = SpanFields {
                        trace_id: &[trace; 16],
                        span_id: &[span; 8],
                        parent_span_id: parent,
                        ..SpanFields::default()
                    };
                    put_span(out, &fields, |_| Ok(())).unwrap();
                });
            });
        });
    }

    #[test]
    fn a_store_that_is_read_in_shares_gives_the_same() {
        let mut request = Vec::new();
        for trace in 1..40 {
            put_call(&mut request, trace, "web", 1, &[]);
            put_call(&mut request, trace, "cart", 2, &[1; 8]);
        }
        let batch = SpanBatch::from_otlp(&request).unwrap();
        let snapshot = Snapshot::new(vec![MemoryScan::new(batch).into_scan()]);
        let calls = |spans_at_once| {
            count(&snapshot, &(0..=9), &Budget::unlimited(), spans_at_once).unwrap()
        };
        assert_eq!(calls(usize::MAX).edges[0].calls, 39);
        for spans_at_once in [1, 7, 30] {
            assert_eq!(calls(spans_at_once), calls(usize::MAX));
        }
    }
}
