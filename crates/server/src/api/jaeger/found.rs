//! The traces of an answer, read whole within bounds.

use model::TraceId;
use query::{Budget, QueryError, SearchPage, SearchQuery, Trace};

use crate::api::failure::Failure;
use crate::api::{Question, SEARCH_TIMEOUT};

/// Spans of one answer that is in memory at one time. What goes beyond is left out, and the answer says so.
const MAX_SPANS: usize = 200_000;
pub(super) const NOT_FOUND: &str = "trace not found";
pub(super) const SEARCH_CUT_SHORT: &str = "the search took too long; ask for a shorter time range";

/// Traces, and what is missing of what was asked for.
#[derive(Default)]
pub(in crate::api) struct FoundTraces {
    pub(in crate::api) traces: Vec<Trace>,
    /// Traces that were asked for by id and are not there.
    pub(in crate::api) missing: Vec<TraceId>,
    /// Why there may be more; empty when nothing was left out.
    pub(super) cut_short: Vec<String>,
}

impl FoundTraces {
    pub(in crate::api) fn search(
        question: &Question<'_>,
        query: &SearchQuery,
    ) -> Result<Self, Failure> {
        let page = search_in_time(question, query)?;
        let ids: Vec<TraceId> = page.traces.iter().map(|trace| trace.trace_id).collect();
        let mut found = Self::read(question, &ids)?;
        if page.truncated {
            found.cut_short.insert(0, SEARCH_CUT_SHORT.to_owned());
        }
        Ok(found)
    }

    /// Reads traces until there are as many spans as an answer may have.
    pub(in crate::api) fn read(question: &Question<'_>, ids: &[TraceId]) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut spans = 0;
        for id in ids {
            let some_are_here = format!("{} of {} traces are here", found.traces.len(), ids.len());
            if spans >= MAX_SPANS {
                let reason = format!("{some_are_here}, for they have many spans");
                found.cut_short.push(reason);
                break;
            }
            match query::trace(question.snapshot, *id, &question.budget) {
                Ok(Some(trace)) => {
                    spans += trace.batch.len();
                    found.traces.push(trace);
                }
                Ok(None) => found.missing.push(*id),
                Err(QueryError::OverBudget) if !found.traces.is_empty() => {
                    let reason = format!("{some_are_here}, for it took too long");
                    found.cut_short.push(reason);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Whether spans are missing that belong here.
    pub(in crate::api) fn is_truncated(&self) -> bool {
        !self.cut_short.is_empty() || self.traces.iter().any(|trace| trace.truncated)
    }
}

/// Searches so long that time is left to read what was found.
pub(super) fn search_in_time(
    question: &Question<'_>,
    query: &SearchQuery,
) -> Result<SearchPage, QueryError> {
    let deadline = question.clock.monotonic() + SEARCH_TIMEOUT;
    let is_over = || (question.budget.is_over)() || question.clock.monotonic() >= deadline;
    let budget = Budget {
        is_over: &is_over,
        ..question.budget
    };
    query::search(question.snapshot, query, &budget)
}
