//! Spans that meet a condition by an event that came without them.
//!
//! An exception that came as a log record lies wherever it arrived: in another memtable or block than its span, before it or after it. So what such events say is
//! gathered from the whole snapshot before a search sweeps through its parts, and the sweep looks spans up there.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use hashbrown::HashMap;
use model::{AttributeScope, RowSet, Scan, ScanError, SpanId, TraceId};
use store::Snapshot;

use crate::condition::scopes;
use crate::{AttributeTest, Budget, Condition, QueryError, columns};

/// An event is not looked for when it happened longer than this before the range of time in which its span started: an event follows the start of its span,
/// and clocks don't differ more.
const SLACK_NANO: u64 = 3_600_000_000_000;
/// Looking so many traces up in a scan's index costs no less than to read the scan.
const MAX_LOOKUPS: usize = 1000;

/// Traces that have events which came without their span, and say something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracesOfLoneEvents {
    /// Each once, in no particular order.
    pub trace_ids: BTreeSet<TraceId>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Finds traces by what their lone events say, whether their spans are here or not: [`crate::search`] finds traces with spans only.
///
/// `test` is of an event's attribute `key`; events are those that did not happen before `since_unix_nano` (as far as is known), from the newest part of the data
/// on, and of as many as the budget allows.
pub fn traces_of_lone_events(
    snapshot: &Snapshot,
    key: &str,
    test: &AttributeTest,
    since_unix_nano: u64,
    budget: &Budget<'_>,
) -> Result<TracesOfLoneEvents, QueryError> {
    let mut found = TracesOfLoneEvents::default();
    let mut left = budget.max_lone_events;
    let holds = |value: model::AttributeValue<'_>| test.holds(value);
    for scan in snapshot.scans() {
        if (budget.is_over)() || left == 0 {
            found.truncated = true;
            break;
        }
        let events = scan.spans_of_lone_events(key, since_unix_nano, &holds)?;
        found.truncated |= events.len() > left;
        let trace_ids = events.iter().map(|(trace_id, _)| *trace_id);
        found.trace_ids.extend(trace_ids.take(left));
        left = left.saturating_sub(events.len());
    }
    Ok(found)
}

/// What lone events say about the conditions of one search.
#[derive(Default)]
pub(crate) struct LoneEvents<'a> {
    matches: Vec<Matches<'a>>,
    /// Whether the budget was met before all were looked at.
    pub(crate) truncated: bool,
}

/// The spans that pass one test by a lone event.
pub(crate) struct Matches<'a> {
    key: &'a str,
    test: &'a AttributeTest,
    spans: HashMap<TraceId, Vec<SpanId>>,
}

impl<'a> LoneEvents<'a> {
    /// Gathers what meets the conditions, from the newest scan on.
    pub(crate) fn gather(
        scans: &[Arc<dyn Scan>],
        conditions: &'a [Condition],
        starts: &RangeInclusive<u64>,
        budget: &Budget<'_>,
    ) -> Result<Self, ScanError> {
        let mut gathered = Self::default();
        gathered.prepare(conditions);
        let since_unix_nano = starts.start().saturating_sub(SLACK_NANO);
        let mut left = budget.max_lone_events;
        for scan in scans {
            for matches in &mut gathered.matches {
                if (budget.is_over)() || left == 0 {
                    gathered.truncated = true;
                    return Ok(gathered);
                }
                let holds = |value: model::AttributeValue<'_>| matches.test.holds(value);
                let mut found = scan.spans_of_lone_events(matches.key, since_unix_nano, &holds)?;
                gathered.truncated |= found.len() > left;
                found.truncate(left);
                left -= found.len();
                for (trace_id, span_id) in found {
                    matches.spans.entry(trace_id).or_default().push(span_id);
                }
            }
        }
        Ok(gathered)
    }

    fn prepare(&mut self, conditions: &'a [Condition]) {
        for condition in conditions {
            match condition {
                Condition::Attribute { scope, key, test }
                    if scopes(scope.as_ref()).contains(&AttributeScope::Event)
                        && self.of(key, test).is_none() =>
                {
                    self.matches.push(Matches {
                        key,
                        test,
                        spans: HashMap::new(),
                    });
                }
                Condition::AnyOf(conditions) => self.prepare(conditions),
                _ => {}
            }
        }
    }

    /// What is known of a test; `None` when no lone event passes it.
    pub(crate) fn of(&self, key: &str, test: &AttributeTest) -> Option<&Matches<'a>> {
        let mut matches = self.matches.iter();
        matches.find(|matches| matches.key == key && matches.test == test)
    }
}

impl Matches<'_> {
    /// `false` proves that none of the spans is in the scan.
    pub(crate) fn may_be_in(&self, scan: &dyn Scan) -> bool {
        self.spans.len() > MAX_LOOKUPS || {
            let mut traces = self.spans.keys();
            traces.any(|trace_id| scan.may_contain_trace(trace_id))
        }
    }

    /// Those of `rows` that are one of the spans.
    pub(crate) fn filter(&self, scan: &dyn Scan, rows: &RowSet) -> Result<RowSet, ScanError> {
        if rows.is_empty() || !self.may_be_in(scan) {
            return Ok(RowSet::default());
        }
        let traces = columns::trace_ids(scan, rows)?;
        let rows = rows.filter(&BooleanBuffer::collect_bool(rows.len(), |row| {
            self.spans.contains_key(&traces.get(row))
        }));
        if rows.is_empty() {
            return Ok(rows);
        }
        let (traces, spans) = (
            columns::trace_ids(scan, &rows)?,
            columns::span_ids(scan, &rows)?,
        );
        let is_named = |row: usize| {
            let named = self.spans.get(&traces.get(row));
            named.is_some_and(|named| named.contains(&spans.get(row)))
        };
        Ok(rows.filter(&BooleanBuffer::collect_bool(rows.len(), is_named)))
    }
}
