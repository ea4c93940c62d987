//! What a list of traces shows of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Array;
use hashbrown::{HashMap, HashSet};
use model::{RowSet, Scan, ScanError, SpanId, TraceId};

use super::Position;
use crate::columns::{self, ServiceNames};
use crate::condition::Plan;
use crate::rows::TraceRows;
use crate::unique::{self, SpanKey};
use crate::{Budget, QueryError};

const STATUS_ERROR: i32 = 2;
/// Rows whose columns are in memory at one time.
const ROWS_AT_ONCE: usize = 1 << 18;

/// A trace in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSummary {
    /// Its id.
    pub trace_id: TraceId,
    /// The service of the root span; of the earliest span when no span is without a parent.
    pub root_service: String,
    /// The name of that span.
    pub root_name: String,
    /// When the earliest span started.
    pub start_unix_nano: u64,
    /// From there to the end of the span that ends last.
    pub duration_nano: u64,
    /// How many spans, repeats counted once.
    pub span_count: u64,
    /// How many of them have the status "error".
    pub error_count: u64,
    /// How many of them meet the conditions of the search.
    pub matched_spans: u64,
    /// How many of them name a parent that is not there.
    pub orphan_count: u64,
    /// The services, sorted by name.
    pub services: Vec<ServiceSpans>,
    /// Whether there are more spans than the budget allows to look at.
    pub truncated: bool,
}

/// A service's share of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpans {
    /// The service's name.
    pub name: String,
    /// How many spans are its.
    pub spans: u64,
    /// How many of them have the status "error".
    pub errors: u64,
}

/// A span in one of the scans.
#[derive(Clone, Copy)]
struct SpanRow {
    start_unix_nano: u64,
    duration_nano: u64,
    span_id: SpanId,
    parent: Option<SpanId>,
    service: u32,
    is_error: bool,
    is_match: bool,
    scan: u32,
    row: usize,
}

impl SpanKey for SpanRow {
    fn start_unix_nano(&self) -> u64 {
        self.start_unix_nano
    }

    fn span_id(&self) -> SpanId {
        self.span_id
    }
}

/// Summarises traces, in their order. Their starts are known, which matters for a trace of which only a part is read.
pub(crate) fn summarise(
    scans: &[Arc<dyn Scan>],
    plan: &Plan<'_>,
    traces: &[Position],
    budget: &Budget<'_>,
) -> Result<Vec<TraceSummary>, QueryError> {
    let mut services = ServiceNames::default();
    let mut spans: Vec<Vec<SpanRow>> = vec![Vec::new(); traces.len()];
    let mut left = vec![budget.max_spans_per_trace.max(1); traces.len()];
    let mut truncated = vec![false; traces.len()];
    for (number, scan) in scans.iter().enumerate() {
        let mut trace_rows = TraceRows::find(&**scan, traces.iter().map(|trace| &trace.trace_id))?;
        trace_rows.cut(&mut left, |place| truncated[place] = true);
        for (rows, places) in trace_rows.chunks(ROWS_AT_ONCE) {
            let read = read_spans(&**scan, number as u32, plan, &rows, &mut services)?;
            for (span, place) in read.into_iter().zip(places) {
                spans[place as usize].push(span);
            }
        }
    }

    let mut summaries = Vec::with_capacity(traces.len());
    let mut roots = Vec::with_capacity(traces.len());
    for ((trace, mut spans), truncated) in traces.iter().zip(spans).zip(truncated) {
        unique::collapse(&mut spans, |suspects| canonical(scans, suspects))?;
        let root = spans
            .iter()
            .find(|span| span.parent.is_none())
            .or(spans.first());
        roots.push(root.map(|root| (root.scan, root.row)));
        summaries.push(TraceSummary {
            truncated,
            ..summary(*trace, &spans, &services)
        });
    }
    name_roots(scans, &roots, &mut summaries)?;
    Ok(summaries)
}

fn read_spans(
    scan: &dyn Scan,
    number: u32,
    plan: &Plan<'_>,
    rows: &RowSet,
    names: &mut ServiceNames,
) -> Result<Vec<SpanRow>, ScanError> {
    let span_ids = columns::span_ids(scan, rows)?;
    let parents = columns::parent_span_ids(scan, rows)?;
    let (starts, ends) = (columns::starts(scan, rows)?, columns::ends(scan, rows)?);
    let status_codes = columns::status_codes(scan, rows)?;
    let services = columns::services(scan, rows)?;
    let numbers = names.numbers_of(&services);
    let matching = plan.filter(scan, rows)?;
    let mut matching = matching.iter().peekable();
    let span = |(index, row): (usize, usize)| SpanRow {
        start_unix_nano: starts.value(index),
        duration_nano: ends.value(index).saturating_sub(starts.value(index)),
        span_id: span_ids.get(index),
        parent: parents.get_parent(index),
        service: numbers[services.keys().value(index) as usize],
        is_error: status_codes.is_valid(index) && status_codes.value(index) == STATUS_ERROR,
        is_match: matching.next_if_eq(&row).is_some(),
        scan: number,
        row,
    };
    Ok(rows.iter().enumerate().map(span).collect())
}

/// Reads spans that may be repeats of each other, and nothing else.
fn canonical(scans: &[Arc<dyn Scan>], suspects: &[SpanRow]) -> Result<Vec<Vec<u8>>, QueryError> {
    let mut forms = vec![Vec::new(); suspects.len()];
    for (number, scan) in scans.iter().enumerate() {
        let mut places: Vec<usize> = (0..suspects.len())
            .filter(|place| suspects[*place].scan as usize == number)
            .collect();
        if places.is_empty() {
            continue;
        }
        places.sort_unstable_by_key(|place| suspects[*place].row);
        let rows = RowSet::from_sorted(places.iter().map(|place| suspects[*place].row));
        let batch = scan.read(&rows)?;
        let columns = batch.columns();
        for (row, place) in places.into_iter().enumerate() {
            forms[place] = columns.canonical(row)?;
        }
    }
    Ok(forms)
}

/// Everything but the root's name.
fn summary(trace: Position, spans: &[SpanRow], names: &ServiceNames) -> TraceSummary {
    let end = spans
        .iter()
        .map(|span| span.start_unix_nano.saturating_add(span.duration_nano))
        .max();
    let ids: HashSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let mut services: BTreeMap<&str, ServiceSpans> = BTreeMap::new();
    for span in spans {
        let name = names.name(span.service);
        let service = services.entry(name).or_insert_with(|| ServiceSpans {
            name: name.to_owned(),
            spans: 0,
            errors: 0,
        });
        service.spans += 1;
        service.errors += u64::from(span.is_error);
    }
    TraceSummary {
        trace_id: trace.trace_id,
        root_service: String::new(),
        root_name: String::new(),
        start_unix_nano: trace.start_unix_nano,
        duration_nano: end.map_or(0, |end| end.saturating_sub(trace.start_unix_nano)),
        span_count: spans.len() as u64,
        error_count: spans.iter().filter(|span| span.is_error).count() as u64,
        matched_spans: spans.iter().filter(|span| span.is_match).count() as u64,
        orphan_count: spans
            .iter()
            .filter(|span| span.parent.is_some_and(|parent| !ids.contains(&parent)))
            .count() as u64,
        services: services.into_values().collect(),
        truncated: false,
    }
}

fn name_roots(
    scans: &[Arc<dyn Scan>],
    roots: &[Option<(u32, usize)>],
    summaries: &mut [TraceSummary],
) -> Result<(), ScanError> {
    let mut by_scan: HashMap<u32, Vec<(usize, usize)>> = HashMap::new();
    for (summary, root) in roots.iter().enumerate() {
        if let Some((scan, row)) = root {
            by_scan.entry(*scan).or_default().push((*row, summary));
        }
    }
    for (scan, mut roots) in by_scan {
        let scan = &*scans[scan as usize];
        roots.sort_unstable();
        let rows = RowSet::from_sorted(roots.iter().map(|(row, _)| *row));
        let names = columns::names(scan, &rows)?;
        let services = columns::services(scan, &rows)?;
        for (index, (_, summary)) in roots.into_iter().enumerate() {
            let summary = &mut summaries[summary];
            names.value(index).clone_into(&mut summary.root_name);
            let service = services.keys().value(index) as usize;
            services
                .values()
                .value(service)
                .clone_into(&mut summary.root_service);
        }
    }
    Ok(())
}
