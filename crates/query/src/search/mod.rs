//! Which traces have a span that meets all conditions, the newest first.
//!
//! The order is by the trace's start, which is the earliest start of *all* its spans, wherever they are; a search must not read
//! everything to know it. So it sweeps: partitions are read from the one that ends last, and traces are taken in the order
//! of their latest matching span. A trace starts no later than that span, so when as many traces as are wanted start later than the sweep has
//! come, no other trace can come before them. That is Fagin's threshold algorithm, and it is exact.
//!
//! Both orders are one: a [`Position`] of (start descending, trace id ascending). A trace's place in the answer never comes before
//! its place in the sweep.
//!
//! A cursor holds one position in each. `after` is the last trace that was given. `from` is where the sweep goes on: every trace before
//! it in the sweep was given or comes before `after`. When the time is over, what the sweep has found is given as it is and the
//! cursor's `from` moves, so a search of any size ends after finitely many pages, and each result comes once.

mod cursor;
mod page;
mod resolve;
mod summary;
mod sweep;

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use model::TraceId;
use store::Snapshot;

use crate::{Budget, Condition, QueryError};

pub use cursor::{Cursor, CursorError};
pub use summary::{ServiceSpans, TraceSummary};

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    /// All must hold on one span; at most [`MAX_CONDITIONS`](Self::MAX_CONDITIONS).
    pub conditions: Vec<Condition>,
    /// When that span started, in nanoseconds since 1970.
    pub starts_unix_nano: RangeInclusive<u64>,
    /// How many traces a page has at most; at least one.
    pub limit: usize,
    /// Where an earlier page of the same search ended.
    pub cursor: Option<Cursor>,
}

impl SearchQuery {
    /// More conditions than a person writes, and few enough that a step of a search, which tries all of them on one partition, stays short.
    pub const MAX_CONDITIONS: usize = 128;
}

impl Default for SearchQuery {
    /// The newest twenty of all traces.
    fn default() -> Self {
        Self {
            conditions: Vec::new(),
            starts_unix_nano: 0..=u64::MAX,
            limit: 20,
            cursor: None,
        }
    }
}

/// A part of a search's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    /// The traces, by start descending, then by id.
    pub traces: Vec<TraceSummary>,
    /// Where the next page begins; `None` when there is nothing more.
    pub next: Option<Cursor>,
    /// Whether the budget was met before everything was looked at. The next page may have traces that are newer than the last
    /// of this one.
    pub truncated: bool,
}

/// Finds traces. See the module for how.
pub fn search(
    snapshot: &Snapshot,
    query: &SearchQuery,
    budget: &Budget<'_>,
) -> Result<SearchPage, QueryError> {
    if query.conditions.len() > SearchQuery::MAX_CONDITIONS {
        return Err(QueryError::TooManyConditions {
            found: query.conditions.len(),
            max: SearchQuery::MAX_CONDITIONS,
        });
    }
    page::search(snapshot, query, budget)
}

/// A place in the one order of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Position {
    pub(crate) start_unix_nano: u64,
    pub(crate) trace_id: TraceId,
}

impl Position {
    /// Before every trace with this start.
    fn first_at(start_unix_nano: u64) -> Self {
        Self {
            start_unix_nano,
            trace_id: TraceId([0; 16]),
        }
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_start = other.start_unix_nano.cmp(&self.start_unix_nano);
        by_start.then(self.trace_id.cmp(&other.trace_id))
    }
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
