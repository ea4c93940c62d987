//! `/traces/{trace_id}`: the whole trace, as OTLP JSON or in another format to be kept.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::Uri;

use super::export::ExportOptions;
use super::{Error, find_trace};
use crate::api::parameters::Parameters;
use crate::api::{Api, READ_TIMEOUT, truncated_header};

pub(super) async fn trace(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
    uri: Uri,
) -> Result<Response, Error> {
    let trace_id = super::trace_id(&trace_id)?;
    let parameters = Parameters::of(&uri)?;
    parameters.refuse_others(&ExportOptions::PARAMETERS)?;
    let options = ExportOptions::of(&parameters)?;
    let mut headers = options.headers(&format!("trace-{trace_id}"))?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let trace = find_trace(question, trace_id)?;
        Ok((options.document(&trace)?, trace.truncated))
    });
    let (document, truncated) = answer.await?;
    headers.extend(truncated_header(truncated));
    Ok((headers, document).into_response())
}
