//! Traces in short, for lists.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use query::TraceSummary;
use serde::Serialize;

use super::Error;
use super::search::parse;
use crate::api::jaeger::found::search_in_time;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, READ_TIMEOUT, truncated_header};

#[derive(Serialize)]
struct Body {
    summaries: Vec<Summary>,
}

/// 64-bit numbers are texts, as in all JSON of protobuf; fields that are zero are written all the same.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    trace_id: String,
    root_service_name: String,
    root_operation_name: String,
    min_start_time_unix_nano: String,
    max_end_time_unix_nano: String,
    span_count: u64,
    error_span_count: u64,
    orphan_span_count: u64,
    services: Vec<Service>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    name: String,
    span_count: u64,
    error_span_count: u64,
}

impl From<TraceSummary> for Summary {
    fn from(trace: TraceSummary) -> Self {
        let end = trace.start_unix_nano.saturating_add(trace.duration_nano);
        let services = trace.services.into_iter().map(|service| Service {
            name: service.name,
            span_count: service.spans,
            error_span_count: service.errors,
        });
        Self {
            trace_id: trace.trace_id.to_string(),
            root_service_name: trace.root_service,
            root_operation_name: trace.root_name,
            min_start_time_unix_nano: trace.start_unix_nano.to_string(),
            max_end_time_unix_nano: end.to_string(),
            span_count: trace.span_count,
            error_span_count: trace.error_count,
            orphan_span_count: trace.orphan_count,
            services: services.collect(),
        }
    }
}

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Result<Response, Error> {
    let query = parse(&Parameters::of(&uri)?)?;
    let answer = api.ask(READ_TIMEOUT, move |question| {
        let page = search_in_time(question, &query)?;
        let truncated = page.truncated || page.traces.iter().any(|trace| trace.truncated);
        let summaries = page.traces.into_iter().map(Summary::from).collect();
        Ok((truncated, Json::write(&Body { summaries })?))
    });
    let (truncated, json) = answer.await?;
    Ok((truncated_header(truncated), json).into_response())
}
