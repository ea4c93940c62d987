//! `/api/traces` and `/api/traces/{trace_id}`.

use axum::extract::{Path, State};
use http::Uri;
use model::TraceId;
use query::{Budget, QueryError, SearchPage, SearchQuery, Trace};

use super::search::{Wanted, parse};
use super::trace::{JaegerTrace, Resources};
use super::{Answer, Envelope, ErrorEntry};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, Question, READ_TIMEOUT, SEARCH_TIMEOUT};

/// Spans of one answer. What goes beyond is left out, and the answer says so.
const MAX_SPANS: usize = 200_000;
const NOT_FOUND: &str = "trace not found";

pub(super) async fn trace(State(api): State<Api>, Path(trace_id): Path<String>) -> Answer {
    let trace_id =
        TraceId::parse(&trace_id).map_err(|error| Failure::Invalid(error.to_string()))?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = query::trace(question.snapshot, trace_id, &question.budget)?
            .ok_or_else(|| Failure::NotFound(NOT_FOUND.to_owned()))?;
        write(&[trace], Vec::new())
    });
    Ok(answer.await?)
}

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Answer {
    let wanted = parse(&Parameters::of(&uri)?, api.clock.now_unix_nano())?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let mut errors = Vec::new();
        let ids = match wanted {
            Wanted::Traces(ids) => ids,
            Wanted::Search(query) => {
                let page = search_in_time(question, &query)?;
                if page.truncated {
                    errors.push(cut_short(
                        "the search took too long; ask for a shorter time range",
                    ));
                }
                page.traces
                    .into_iter()
                    .map(|trace| trace.trace_id)
                    .collect()
            }
        };
        let traces = read(question, &ids, &mut errors)?;
        write(&traces, errors)
    });
    Ok(answer.await?)
}

/// Searches so long that time is left to read what was found.
fn search_in_time(question: &Question<'_>, query: &SearchQuery) -> Result<SearchPage, QueryError> {
    let deadline = question.clock.monotonic() + SEARCH_TIMEOUT;
    let is_over = || (question.budget.is_over)() || question.clock.monotonic() >= deadline;
    let budget = Budget {
        is_over: &is_over,
        ..question.budget
    };
    query::search(question.snapshot, query, &budget)
}

/// Reads traces until there are as many spans as an answer may have.
fn read(
    question: &Question<'_>,
    ids: &[TraceId],
    errors: &mut Vec<ErrorEntry>,
) -> Result<Vec<Trace>, Failure> {
    let mut traces: Vec<Trace> = Vec::new();
    let mut spans = 0;
    for id in ids {
        let some_are_here = format!("{} of {} traces are here", traces.len(), ids.len());
        if spans >= MAX_SPANS {
            errors.push(cut_short(&format!(
                "{some_are_here}, for they have many spans"
            )));
            break;
        }
        match query::trace(question.snapshot, *id, &question.budget) {
            Ok(Some(trace)) => {
                spans += trace.batch.len();
                traces.push(trace);
            }
            Ok(None) => errors.push(ErrorEntry {
                code: None,
                msg: NOT_FOUND.to_owned(),
                trace_id: Some(id.to_string()),
            }),
            Err(QueryError::OverBudget) if !traces.is_empty() => {
                errors.push(cut_short(&format!("{some_are_here}, for it took too long")));
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(traces)
}

fn cut_short(problem: &str) -> ErrorEntry {
    ErrorEntry {
        code: None,
        msg: format!("the answer is cut short: {problem}"),
        trace_id: None,
    }
}

fn write(traces: &[Trace], errors: Vec<ErrorEntry>) -> Result<Json, Failure> {
    let resources: Vec<Resources> = traces
        .iter()
        .map(Resources::of)
        .collect::<Result<_, _>>()
        .map_err(Failure::internal)?;
    let data: Vec<JaegerTrace<'_>> = traces
        .iter()
        .zip(&resources)
        .map(|(trace, resources)| JaegerTrace::of(trace, resources))
        .collect::<Result<_, _>>()
        .map_err(Failure::internal)?;
    let errors = (!errors.is_empty()).then_some(errors);
    Json::write(&Envelope {
        errors,
        ..Envelope::of(data)
    })
}
