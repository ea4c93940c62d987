//! `/traces/{trace_id}`: the whole trace as OTLP JSON.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use backtrail_wire::otlp_json;

use super::{Error, find_trace};
use crate::api::{Api, Json, READ_TIMEOUT, truncated_header};

pub(super) async fn trace(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
) -> Result<Response, Error> {
    let trace_id = super::trace_id(&trace_id)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = find_trace(question, trace_id)?;
        let otlp = trace.by_resource().to_otlp()?;
        Ok((Json(otlp_json::from_protobuf(&otlp)?), trace.truncated))
    });
    let (json, truncated) = answer.await?;
    Ok((truncated_header(truncated), json).into_response())
}
