//! `/api/traces` and `/api/traces/{trace_id}`.

use axum::extract::{Path, State};
use http::Uri;
use model::TraceId;
use query::Trace;

use super::found::{FoundTraces, NOT_FOUND};
use super::search::{Wanted, parse};
use super::trace::{JaegerTrace, Resources};
use super::{Answer, Envelope, ErrorEntry};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, Question, READ_TIMEOUT};

pub(super) async fn trace(State(api): State<Api>, Path(trace_id): Path<String>) -> Answer {
    let trace_id =
        TraceId::parse(&trace_id).map_err(|error| Failure::Invalid(error.to_string()))?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = query::trace(question.snapshot, trace_id, &question.budget)?
            .ok_or_else(|| Failure::NotFound(NOT_FOUND.to_owned()))?;
        write(question, &[trace], Vec::new())
    });
    Ok(answer.await?)
}

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Answer {
    let wanted = parse(&Parameters::of(&uri)?, api.clock.now_unix_nano())?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let found = match wanted {
            Wanted::Traces(ids) => FoundTraces::read(question, &ids)?,
            Wanted::Search(query) => FoundTraces::search(question, &query)?,
        };
        let cut_short = found.cut_short.iter().map(|reason| ErrorEntry {
            code: None,
            msg: format!("the answer is cut short: {reason}"),
            trace_id: None,
        });
        let missing = found.missing.iter().map(|id| ErrorEntry {
            code: None,
            msg: NOT_FOUND.to_owned(),
            trace_id: Some(id.to_string()),
        });
        write(question, &found.traces, cut_short.chain(missing).collect())
    });
    Ok(answer.await?)
}

/// A trace as Jaeger's page keeps it in a file, without the envelope and without what this server found wrong with it.
pub(in crate::api) fn stored_trace(trace: &Trace) -> Result<Vec<u8>, Failure> {
    let resources = Resources::of(trace).map_err(Failure::internal)?;
    let trace = JaegerTrace::of(trace, &resources, None).map_err(Failure::internal)?;
    serde_json::to_vec(&trace.without_findings()).map_err(Failure::internal)
}

fn write(
    question: &Question<'_>,
    traces: &[Trace],
    errors: Vec<ErrorEntry>,
) -> Result<Json, Failure> {
    let resources: Vec<Resources> = traces
        .iter()
        .map(Resources::of)
        .collect::<Result<_, _>>()
        .map_err(Failure::internal)?;
    let data: Vec<JaegerTrace<'_>> = traces
        .iter()
        .zip(&resources)
        .map(|(trace, resources)| JaegerTrace::of(trace, resources, question.stacks_for_jaeger))
        .collect::<Result<_, _>>()
        .map_err(Failure::internal)?;
    let errors = (!errors.is_empty()).then_some(errors);
    Json::write(&Envelope {
        errors,
        ..Envelope::of(data)
    })
}
