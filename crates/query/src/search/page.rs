//! One page of a search.

use std::collections::BinaryHeap;

use store::Snapshot;

use super::resolve::{Found, resolve};
use super::summary::{TraceSummary, summarise};
use super::sweep::Sweep;
use super::{Cursor, Position, SearchPage, SearchQuery};
use crate::condition::Plan;
use crate::lone_events::LoneEvents;
use crate::{Budget, QueryError};

/// Traces whose start is looked up at one time.
const RESOLVED_AT_ONCE: usize = 256;
/// Traces that are summarised at one time.
const SUMMARISED_AT_ONCE: usize = 64;

/// How far the sweep came.
enum Swept {
    /// As far as it had to: the traces that were found are the answer's next ones.
    Enough {
        /// Where the sweep stands; `None` when it has seen everything.
        frontier: Option<Position>,
    },
    /// To here, where the budget was met.
    Until(Position),
}

pub(crate) fn search(
    snapshot: &Snapshot,
    query: &SearchQuery,
    budget: &Budget<'_>,
) -> Result<SearchPage, QueryError> {
    let limit = query.limit.max(1);
    let cursor = query.cursor.unwrap_or_default();
    let (conditions, starts) = (&query.conditions, &query.starts_unix_nano);
    let lone_events = LoneEvents::gather(snapshot.scans(), conditions, starts, budget)?;
    let plan = Plan::new(conditions, starts.clone(), lone_events);
    let (mut found, swept) = find(snapshot, &plan, cursor, limit, budget)?;
    // What the sweep found while it was complete is given in the answer's order. When it was not, in its own: that which
    // was given is then all that comes before the place at which the next page's sweep begins.
    let is_complete = matches!(swept, Swept::Enough { .. });
    if is_complete {
        found.sort_unstable_by_key(|found| found.result);
    }

    let wanted = &found[..found.len().min(limit)];
    let traces = summarise_in_time(snapshot, &plan, wanted, budget)?;
    let given = traces.len();
    let not_given = found[given..].iter().map(|found| found.swept).min();
    let next = match swept {
        Swept::Enough { frontier } => not_given.map(|not_given| Cursor {
            after: found[..given]
                .last()
                .map(|found| found.result)
                .or(cursor.after),
            from: Some(frontier.map_or(not_given, |frontier| frontier.min(not_given))),
        }),
        Swept::Until(frontier) => Some(Cursor {
            after: cursor.after,
            from: Some(not_given.unwrap_or(frontier)),
        }),
    };

    let mut page = SearchPage {
        truncated: !is_complete || given < wanted.len() || plan.is_truncated(),
        traces,
        next,
    };
    page.traces.sort_by_key(|trace| Position {
        start_unix_nano: trace.start_unix_nano,
        trace_id: trace.trace_id,
    });
    Ok(page)
}

/// Sweeps until the next `limit` traces of the answer are certain, and whether there is one more.
fn find(
    snapshot: &Snapshot,
    plan: &Plan<'_>,
    cursor: Cursor,
    limit: usize,
    budget: &Budget<'_>,
) -> Result<(Vec<Found>, Swept), QueryError> {
    let scans = snapshot.scans();
    let mut sweep = Sweep::new(scans, plan, cursor.from, budget.max_candidates);
    let began_at = sweep.frontier();
    let mut found: Vec<Found> = Vec::new();
    // The best results; the worst of them is on top.
    let mut best: BinaryHeap<Position> = BinaryHeap::with_capacity(limit + 2);
    let swept = loop {
        let Some(frontier) = sweep.frontier() else {
            break Swept::Enough { frontier: None };
        };
        if best.len() > limit && best.peek().is_some_and(|worst| *worst < frontier) {
            break Swept::Enough {
                frontier: Some(frontier),
            };
        }
        // A page that moved the sweep by nothing could be asked for for ever.
        let has_moved = began_at != Some(frontier);
        if has_moved && (sweep.is_exhausted() || (budget.is_over)()) {
            break Swept::Until(frontier);
        }
        let positions = sweep.step(RESOLVED_AT_ONCE)?;
        for one in resolve(scans, plan, cursor.from, &positions)? {
            if cursor.after.is_none_or(|after| one.result > after) {
                found.push(one);
                best.push(one.result);
                if best.len() > limit + 1 {
                    best.pop();
                }
            }
        }
    };
    Ok((found, swept))
}

/// The summaries of the first traces, of as many as there is time for, and of one in any case.
fn summarise_in_time(
    snapshot: &Snapshot,
    plan: &Plan<'_>,
    wanted: &[Found],
    budget: &Budget<'_>,
) -> Result<Vec<TraceSummary>, QueryError> {
    let mut traces = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(SUMMARISED_AT_ONCE) {
        if !traces.is_empty() && (budget.is_over)() {
            break;
        }
        let results: Vec<_> = some.iter().map(|found| found.result).collect();
        traces.extend(summarise(snapshot.scans(), plan, &results, budget)?);
    }
    Ok(traces)
}
