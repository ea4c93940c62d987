//! One trace, put together from wherever its spans are.

use std::collections::BinaryHeap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::{RowSet, Scan, SpanBatch, SpanBatchBuilder, SpanColumns, SpanId, TraceId};
use store::Snapshot;

use crate::columns::{self, ServiceNames};
use crate::rows::TraceRows;
use crate::tree::{self, Node, SpanFlags, Tree};
use crate::unique::{self, SpanKey};
use crate::{Budget, QueryError};

/// Rows of one column that are in memory while the earliest spans of a trace are sought.
const ROWS_AT_ONCE: usize = 1 << 18;

/// A trace: its spans in depth-first order, each once.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its id.
    pub trace_id: TraceId,
    /// The spans. Events that came without their span stand with it when it is here, and at the end otherwise.
    pub batch: SpanBatch,
    /// Who is whose parent, by row of `batch`.
    pub tree: Tree,
    /// How many repeats, equal in everything to a span that is here, were left out.
    pub repeats: u64,
    /// Whether there were more spans than the budget allows, so that only the earliest are here.
    pub truncated: bool,
}

impl Trace {
    /// When the earliest span started.
    pub fn start_unix_nano(&self) -> u64 {
        let starts = self.batch.columns().starts.values();
        starts.iter().copied().min().unwrap_or_default()
    }

    /// From the start of the earliest span to the end of the one that ends last.
    pub fn duration_nano(&self) -> u64 {
        let columns = self.batch.columns();
        let end = (0..columns.len())
            .map(|row| {
                columns
                    .starts
                    .value(row)
                    .saturating_add(columns.duration_nano(row))
            })
            .max();
        end.unwrap_or_default() - self.start_unix_nano()
    }

    /// The rows of the spans with an id; several may bear one.
    pub fn rows_of(&self, span_id: SpanId) -> impl Iterator<Item = usize> {
        let columns = self.batch.columns();
        (0..columns.len()).filter(move |row| columns.span_id(*row) == span_id)
    }

    /// The spans ordered by resource and scope, as OTLP groups them; those of one scope stay in depth-first order.
    pub fn by_resource(&self) -> SpanBatch {
        let columns = self.batch.columns();
        let mut rows: Vec<usize> = (0..columns.len()).collect();
        // The sort is stable, and resources and scopes are numbered as they come.
        rows.sort_by_key(|row| {
            (
                columns.resources.keys().value(*row),
                columns.scopes.keys().value(*row),
            )
        });
        let mut builder = SpanBatchBuilder::new();
        for row in rows {
            builder.push_row(&columns, row);
        }
        builder.finish()
    }
}

/// Reads a trace. `None` when no span of it is there, also if there are events that wait for their span.
pub fn trace(
    snapshot: &Snapshot,
    trace_id: TraceId,
    budget: &Budget<'_>,
) -> Result<Option<Trace>, QueryError> {
    let mut parts: Vec<(&Arc<dyn Scan>, RowSet)> = Vec::new();
    let mut lone_events: Vec<SpanBatch> = Vec::new();
    for scan in snapshot.scans() {
        if !scan.may_contain_trace(&trace_id) {
            continue;
        }
        let rows = scan.trace_rows(&trace_id)?;
        if !rows.is_empty() {
            parts.push((scan, rows));
        }
        let events = scan.lone_events(&trace_id)?;
        if !events.is_empty() {
            lone_events.push(events);
        }
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let truncated = keep_earliest(&mut parts, trace_id, budget)?;

    let mut batches = Vec::with_capacity(parts.len());
    for (scan, rows) in &parts {
        if (budget.is_over)() {
            return Err(QueryError::OverBudget);
        }
        batches.push(scan.read(rows)?);
    }
    assemble(trace_id, &batches, &lone_events, truncated).map(Some)
}

/// Events of a trace that came as log records and wait for their span, in the order of their times, each once. Without spans they make no [`Trace`].
pub fn events_without_span(
    snapshot: &Snapshot,
    trace_id: TraceId,
    budget: &Budget<'_>,
) -> Result<SpanBatch, QueryError> {
    let mut batches: Vec<SpanBatch> = Vec::new();
    for scan in snapshot.scans() {
        let events = scan.lone_events(&trace_id)?;
        if !events.is_empty() {
            batches.push(events);
        }
    }
    let mut spans_here: HashSet<SpanId> = HashSet::new();
    if !batches.is_empty() {
        for scan in snapshot.scans() {
            for (rows, _) in TraceRows::find(&**scan, [&trace_id])?.chunks(ROWS_AT_ONCE) {
                if (budget.is_over)() {
                    return Err(QueryError::OverBudget);
                }
                let span_ids = columns::span_ids(&**scan, &rows)?;
                spans_here.extend((0..rows.len()).map(|row| span_ids.get(row)));
            }
        }
    }
    let columns: Vec<SpanColumns<'_>> = batches.iter().map(SpanBatch::columns).collect();
    let mut builder = SpanBatchBuilder::new();
    for (batch, event) in distinct_events(&columns) {
        if !spans_here.contains(&columns[batch].events.span_id(event)) {
            builder.push_lone_event_row(&columns[batch], event);
        }
    }
    Ok(builder.finish())
}

/// Cuts the rows to the budget's number of spans, the earliest. Says whether there were more.
fn keep_earliest(
    parts: &mut Vec<(&Arc<dyn Scan>, RowSet)>,
    trace_id: TraceId,
    budget: &Budget<'_>,
) -> Result<bool, QueryError> {
    let limit = budget.max_spans_per_trace.max(1);
    if parts.iter().map(|(_, rows)| rows.len()).sum::<usize>() <= limit {
        return Ok(false);
    }
    // The greatest of those that are kept is on top.
    let mut kept: BinaryHeap<(u64, SpanId, usize, usize)> = BinaryHeap::with_capacity(limit + 1);
    for (part, (scan, _)) in parts.iter().enumerate() {
        for (rows, _) in TraceRows::find(&***scan, [&trace_id])?.chunks(ROWS_AT_ONCE) {
            if (budget.is_over)() {
                return Err(QueryError::OverBudget);
            }
            let starts = columns::starts(&***scan, &rows)?;
            let span_ids = columns::span_ids(&***scan, &rows)?;
            for (index, row) in rows.iter().enumerate() {
                kept.push((starts.value(index), span_ids.get(index), part, row));
                if kept.len() > limit {
                    kept.pop();
                }
            }
        }
    }
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
    for (_, _, part, row) in kept {
        rows[part].push(row);
    }
    for ((_, part), mut rows) in parts.iter_mut().zip(rows) {
        rows.sort_unstable();
        *part = RowSet::from_sorted(rows);
    }
    parts.retain(|(_, rows)| !rows.is_empty());
    Ok(true)
}

/// A span in one of the batches.
#[derive(Clone, Copy)]
struct Place {
    start_unix_nano: u64,
    span_id: SpanId,
    batch: u32,
    row: u32,
}

impl SpanKey for Place {
    fn start_unix_nano(&self) -> u64 {
        self.start_unix_nano
    }

    fn span_id(&self) -> SpanId {
        self.span_id
    }
}

fn assemble(
    trace_id: TraceId,
    batches: &[SpanBatch],
    lone_events: &[SpanBatch],
    truncated: bool,
) -> Result<Trace, QueryError> {
    let columns: Vec<SpanColumns<'_>> = batches.iter().map(SpanBatch::columns).collect();
    let mut places: Vec<Place> = Vec::with_capacity(batches.iter().map(SpanBatch::len).sum());
    for (batch, columns) in columns.iter().enumerate() {
        places.extend((0..columns.len()).map(|row| Place {
            start_unix_nano: columns.starts.value(row),
            span_id: columns.span_id(row),
            batch: batch as u32,
            row: row as u32,
        }));
    }
    let repeats = unique::collapse(&mut places, |suspects| {
        let form = |place: &Place| columns[place.batch as usize].canonical(place.row as usize);
        suspects
            .iter()
            .map(|place| form(place).map_err(QueryError::from))
            .collect()
    })?;

    let mut services = ServiceNames::default();
    let nodes: Vec<Node> = places
        .iter()
        .map(|place| {
            let (columns, row) = (&columns[place.batch as usize], place.row as usize);
            Node {
                span_id: place.span_id,
                parent: columns.parent_span_id(row).filter(|id| !id.is_zero()),
                start_unix_nano: place.start_unix_nano,
                service: services.number(columns.service(row)),
                kind: columns.kinds.value(row),
            }
        })
        .collect();
    let (order, mut tree) = tree::depth_first(&nodes);
    let ordered: Vec<Place> = order.iter().map(|place| places[*place as usize]).collect();

    let is_in_order = ordered
        .iter()
        .enumerate()
        .all(|(row, place)| row == place.row as usize);
    let batch = match batches {
        [batch] if is_in_order && repeats == 0 && lone_events.is_empty() => batch.clone(),
        _ => {
            let (batch, rows_of_logs) = merge(&columns, &ordered, lone_events);
            // What comes as a log record is kept because it is an exception, whatever its name is.
            for row in rows_of_logs {
                tree.flag(row, SpanFlags::EXCEPTION);
            }
            batch
        }
    };
    flag_exceptions(&batch, &mut tree);
    Ok(Trace {
        trace_id,
        batch,
        tree,
        repeats,
        truncated,
    })
}

/// The batch of all, and the rows of the spans that got events which had come without them.
fn merge(
    columns: &[SpanColumns<'_>],
    ordered: &[Place],
    lone_events: &[SpanBatch],
) -> (SpanBatch, Vec<usize>) {
    let lone_columns: Vec<SpanColumns<'_>> = lone_events.iter().map(SpanBatch::columns).collect();
    let mut rows_of: HashMap<SpanId, Vec<usize>> = HashMap::new();
    if !lone_columns.is_empty() {
        for (row, place) in ordered.iter().enumerate() {
            rows_of.entry(place.span_id).or_default().push(row);
        }
    }
    let mut by_row: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    let mut homeless: Vec<(usize, usize)> = Vec::new();
    for (batch, event) in distinct_events(&lone_columns) {
        let lone = &lone_columns[batch].events;
        let of_resource = |row: &&usize| {
            let place = &ordered[**row];
            columns[place.batch as usize].resource(place.row as usize)
                == lone.resources.value(event)
        };
        let rows = rows_of
            .get(&lone.span_id(event))
            .map_or(&[][..], Vec::as_slice);
        // Where several spans bear the id it is the one of the event's resource, else the first.
        match rows.iter().find(of_resource).or(rows.first()) {
            Some(row) => by_row.entry(*row).or_default().push((batch, event)),
            None => homeless.push((batch, event)),
        }
    }

    let mut builder = SpanBatchBuilder::new();
    for (row, place) in ordered.iter().enumerate() {
        builder.push_row(&columns[place.batch as usize], place.row as usize);
        for (batch, event) in by_row.get(&row).into_iter().flatten() {
            builder.push_event_row(&lone_columns[*batch], *event);
        }
    }
    for (batch, event) in homeless {
        builder.push_lone_event_row(&lone_columns[batch], event);
    }
    (builder.finish(), by_row.into_keys().collect())
}

/// The events in the order of their times, each once.
fn distinct_events(lone: &[SpanColumns<'_>]) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (batch, columns) in lone.iter().enumerate() {
        places.extend(columns.events.lone_rows().map(|event| (batch, event)));
    }
    let key = |(batch, event): &(usize, usize)| {
        let events = &lone[*batch].events;
        (
            events.times.value(*event),
            events.span_id(*event),
            events.names.value(*event),
            events.attributes.value(*event),
            events.resources.value(*event),
        )
    };
    places.sort_by(|left, right| key(left).cmp(&key(right)));
    places.dedup_by(|right, left| key(left) == key(right));
    places
}

fn flag_exceptions(batch: &SpanBatch, tree: &mut Tree) {
    let events = batch.event_columns();
    for event in 0..events.lone_rows().start {
        if events.names.value(event) == "exception" {
            tree.flag(events.span_rows.value(event) as usize, SpanFlags::EXCEPTION);
        }
    }
}
