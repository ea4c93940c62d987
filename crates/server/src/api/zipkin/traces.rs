//! `/api/v2/traces`, `/api/v2/trace/{trace_id}` and `/api/v2/traceMany`.

use axum::extract::{Path, State};
use backtrail_wire::zipkin::from_otlp;
use http::{HeaderMap, Uri};
use model::TraceId;
use query::Trace;

use super::Answer;
use super::search::Wanted;
use crate::api::failure::Failure;
use crate::api::jaeger::FoundTraces;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, READ_TIMEOUT, truncated_header};

/// As in Zipkin.
const MAX_TRACE_IDS: usize = 1000;

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Answer {
    let wanted = Wanted::parse(&Parameters::of(&uri)?, api.clock.now_unix_nano())?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let query = wanted.resolve(question.snapshot)?;
        write_list(&FoundTraces::search(question, &query)?)
    });
    Ok(answer.await?)
}

pub(super) async fn trace(State(api): State<Api>, Path(text): Path<String>) -> Answer {
    let trace_id = parse_id(&text)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = query::trace(question.snapshot, trace_id, &question.budget)?
            .filter(|trace| !trace.batch.is_empty())
            .ok_or_else(|| Failure::NotFound(format!("{text} not found")))?;
        let header = truncated_header(trace.truncated);
        Ok((header, Json(write(&trace)?)))
    });
    Ok(answer.await?)
}

pub(super) async fn trace_many(State(api): State<Api>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri)?;
    let Some(list) = parameters.get("traceIds") else {
        return Err(Failure::Invalid("parameter traceIds is missing".to_owned()).into());
    };
    let mut ids: Vec<TraceId> = Vec::new();
    for text in list.split(',') {
        let id = parse_id(text.trim())?;
        if ids.contains(&id) {
            return Err(Failure::Invalid(format!("redundant trace ID: {text}")).into());
        }
        if ids.len() == MAX_TRACE_IDS {
            let message = format!("parameter traceIds: at most {MAX_TRACE_IDS} are allowed");
            return Err(Failure::Invalid(message).into());
        }
        ids.push(id);
    }
    let answer = api.ask(READ_TIMEOUT, move |question| {
        write_list(&FoundTraces::read(question, &ids)?)
    });
    Ok(answer.await?)
}

fn parse_id(text: &str) -> Result<TraceId, Failure> {
    TraceId::parse(text).map_err(|error| Failure::Invalid(error.to_string()))
}

/// The spans of a trace as a list.
fn write(trace: &Trace) -> Result<Vec<u8>, Failure> {
    Ok(from_otlp(&trace.batch.to_otlp()?)?)
}

/// A list of traces, each of them a list.
fn write_list(found: &FoundTraces) -> Result<(HeaderMap, Json), Failure> {
    let mut out = vec![b'['];
    for trace in found.traces.iter().filter(|trace| !trace.batch.is_empty()) {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&write(trace)?);
    }
    out.push(b']');
    Ok((truncated_header(found.is_truncated()), Json(out)))
}
