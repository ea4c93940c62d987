//! In which order rows are written.

use std::ops::Range;

use hashbrown::{HashMap, HashSet};
use model::{SpanColumns, SpanId, TraceId};

/// The order of rows: traces by their earliest start, the spans of a trace by theirs.
pub(crate) struct RowOrder {
    pub(crate) rows: Vec<u32>,
    /// The rows of each trace, as a range of `rows`, in their order.
    pub(super) traces: Vec<(TraceId, Range<usize>)>,
    /// The new row of each old one.
    pub(super) new_rows: Vec<u32>,
}

impl RowOrder {
    pub(crate) fn new(columns: &SpanColumns<'_>) -> Self {
        let mut first_start: HashMap<TraceId, u64> = HashMap::new();
        for row in 0..columns.len() {
            let start = columns.starts.value(row);
            first_start
                .entry(columns.trace_id(row))
                .and_modify(|first| *first = start.min(*first))
                .or_insert(start);
        }
        let mut keyed: Vec<(u64, TraceId, u64, u32)> = (0..columns.len())
            .map(|row| {
                let trace_id = columns.trace_id(row);
                (
                    first_start[&trace_id],
                    trace_id,
                    columns.starts.value(row),
                    row as u32,
                )
            })
            .collect();
        keyed.sort_unstable();

        let mut traces: Vec<(TraceId, Range<usize>)> = Vec::with_capacity(first_start.len());
        let mut new_rows = vec![0; keyed.len()];
        for (new_row, (_, trace_id, _, row)) in keyed.iter().enumerate() {
            new_rows[*row as usize] = new_row as u32;
            match traces.last_mut() {
                Some((last, range)) if last == trace_id => range.end += 1,
                _ => traces.push((*trace_id, new_row..new_row + 1)),
            }
        }
        Self {
            rows: keyed.into_iter().map(|(.., row)| row).collect(),
            traces,
            new_rows,
        }
    }
}

/// The traces by id, with the rows of each: also those that only have events which came without their span.
pub(crate) fn all_traces(
    columns: &SpanColumns<'_>,
    order: &RowOrder,
) -> Vec<(TraceId, Range<usize>)> {
    let mut traces = order.traces.clone();
    let known: HashSet<TraceId> = traces.iter().map(|(trace_id, _)| *trace_id).collect();
    let lone: HashSet<TraceId> = columns
        .events
        .lone_rows()
        .map(|event| columns.events.trace_id(event))
        .filter(|trace_id| !known.contains(trace_id))
        .collect();
    traces.extend(lone.into_iter().map(|trace_id| (trace_id, 0..0)));
    traces.sort_unstable_by_key(|(trace_id, _)| *trace_id);
    traces
}

/// How far a span's parent is above it, where the parent is a span of the same trace in the same block: ids are random bytes that
/// nothing compresses, and a distance costs a byte.
pub(crate) struct Parents {
    pub(crate) deltas: Vec<Option<i32>>,
}

impl Parents {
    pub(crate) fn new(columns: &SpanColumns<'_>, order: &RowOrder) -> Self {
        let mut deltas = vec![None; order.rows.len()];
        let mut by_id: HashMap<SpanId, usize> = HashMap::new();
        for (_, range) in &order.traces {
            by_id.clear();
            for new_row in range.clone() {
                by_id
                    .entry(columns.span_id(order.rows[new_row] as usize))
                    .or_insert(new_row);
            }
            for new_row in range.clone() {
                deltas[new_row] = columns
                    .parent_span_id(order.rows[new_row] as usize)
                    .and_then(|parent| by_id.get(&parent))
                    .map(|parent| (new_row as i64 - *parent as i64) as i32);
            }
        }
        Self { deltas }
    }

    pub(super) fn of(&self, first_row: usize, rows: &[u32]) -> Vec<Option<i32>> {
        self.deltas[first_row..first_row + rows.len()].to_vec()
    }
}
