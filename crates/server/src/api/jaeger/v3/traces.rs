//! Whole traces, as OTLP JSON.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use backtrail_wire::otlp_json;
use http::Uri;
use model::TraceId;
use query::Trace;

use super::Error;
use super::search::{check_raw, parse};
use crate::api::failure::Failure;
use crate::api::jaeger::found::FoundTraces;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, READ_TIMEOUT, truncated_header};

/// What Jaeger says when a search or an id finds nothing.
const NOT_FOUND: &str = "No traces found";

/// The time range helps stores that can't find a trace without; it is read and not needed.
pub(super) async fn trace(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
    uri: Uri,
) -> Result<Response, Error> {
    let trace_id = TraceId::parse(&trace_id)
        .map_err(|error| Failure::Invalid(format!("malformed parameter trace_id: {error}")))?;
    let parameters = Parameters::of(&uri)?;
    parameters.first_unix_nano(&["startTime", "start_time"])?;
    parameters.first_unix_nano(&["endTime", "end_time"])?;
    check_raw(&parameters, &["rawTraces", "raw_traces"])?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        write(&FoundTraces::read(question, &[trace_id])?)
    });
    Ok(answer.await?.into_response())
}

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Result<Response, Error> {
    let query = parse(&Parameters::of(&uri)?)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        write(&FoundTraces::search(question, &query)?)
    });
    Ok(answer.await?.into_response())
}

/// All traces as one `{"result": {"resourceSpans": […]}}`, in the order in which they were found.
fn write(found: &FoundTraces) -> Result<impl IntoResponse + use<>, Failure> {
    if found.traces.is_empty() {
        // What was not looked for to the end is not missing.
        if found.is_truncated() {
            return Err(Failure::TimedOut);
        }
        return Err(Failure::NotFound(NOT_FOUND.to_owned()));
    }
    let mut otlp = Vec::new();
    for trace in &found.traces {
        // Messages of protobuf are merged by writing one behind the other.
        otlp.extend(Trace::by_resource(trace).to_otlp()?);
    }
    let mut body = br#"{"result":"#.to_vec();
    body.extend(otlp_json::from_protobuf(&otlp)?);
    body.push(b'}');
    Ok((truncated_header(found.is_truncated()), Json(body)))
}
