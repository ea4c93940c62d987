//! `jaeger.api_v3.QueryService` and `jaeger.api_v3.Capabilities`.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use futures_util::stream;
use model::TraceId;
use prost::Message as _;
use query::{SearchQuery, Trace};
use tonic::Status;

use super::messages::{
    Capabilities, Dependencies, Empty, FindTracesRequest, GetDependenciesRequest,
    GetOperationsRequest, GetTraceByText, Operations, SearchCapabilities, ServiceSummary, Services,
    TraceQueryParameters, TraceSummaries, TraceSummary,
};
use super::outlet::truncated;
use super::parts::{self, MAX_PART_BYTES};
use super::{catalogue, nano, unix_nano};
use crate::api::failure::Failure;
use crate::api::jaeger::found::{SEARCH_CUT_SHORT, search_in_time};
use crate::api::jaeger::question::{Question, starts_before};
use crate::api::{Api, READ_TIMEOUT};
use crate::grpc;

/// Summaries of one message.
const SUMMARIES_AT_ONCE: usize = 100;

pub(super) fn routes() -> Router<Api> {
    let path = |method| format!("/jaeger.api_v3.QueryService/{method}");
    Router::new()
        .route(&path("GetTrace"), post(get_trace))
        .route(&path("FindTraces"), post(find_traces))
        .route(&path("FindTraceSummaries"), post(find_trace_summaries))
        .route(&path("GetServices"), post(get_services))
        .route(&path("GetOperations"), post(get_operations))
        .route(&path("GetDependencies"), post(get_dependencies))
        .route(
            "/jaeger.api_v3.Capabilities/GetCapabilities",
            post(get_capabilities),
        )
}

async fn get_trace(State(api): State<Api>, request: Request) -> Response {
    grpc::streaming(request, async |request: GetTraceByText| {
        let trace_id = TraceId::parse(&request.trace_id)
            .map_err(|error| Failure::Invalid(format!("trace_id: {error}")))?;
        parts::trace(api.clone(), trace_id, write).await
    })
    .await
}

async fn find_traces(State(api): State<Api>, request: Request) -> Response {
    grpc::streaming(request, async |request: FindTracesRequest| {
        let query = search(request.query.unwrap_or_default())?;
        parts::search(api.clone(), query, write).await
    })
    .await
}

fn write(trace: &Trace, _: &crate::api::Question<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(trace.by_resource().to_otlp_parts(MAX_PART_BYTES)?)
}

async fn find_trace_summaries(State(api): State<Api>, request: Request) -> Response {
    grpc::streaming(request, async |request: FindTracesRequest| {
        let query = search(request.query.unwrap_or_default())?;
        let found = api.ask(READ_TIMEOUT, move |question| {
            Ok(search_in_time(question, &query)?)
        });
        let page = found.await?;
        let is_cut = page.truncated || page.traces.iter().any(|trace| trace.truncated);
        let summaries: Vec<_> = page.traces.into_iter().map(summary).collect();
        let mut messages: Vec<Result<Vec<u8>, Status>> = summaries
            .chunks(SUMMARIES_AT_ONCE)
            .map(|some| {
                let summaries = some.to_vec();
                Ok(TraceSummaries { summaries }.encode_to_vec())
            })
            .collect();
        if is_cut {
            messages.push(Err(truncated(SEARCH_CUT_SHORT)));
        }
        Ok(stream::iter(messages))
    })
    .await
}

async fn get_services(State(api): State<Api>, request: Request) -> Response {
    grpc::unary(request, async |_: Empty| -> Result<Services, Status> {
        catalogue::services(&api).await
    })
    .await
}

async fn get_operations(State(api): State<Api>, request: Request) -> Response {
    grpc::unary(request, async |request: GetOperationsRequest| {
        let operations = catalogue::operations(&api, request).await?;
        Ok(Operations { operations })
    })
    .await
}

async fn get_dependencies(State(api): State<Api>, request: Request) -> Response {
    grpc::unary(
        request,
        async |request: GetDependenciesRequest| -> Result<Dependencies, Status> {
            catalogue::dependencies(&api, &request).await
        },
    )
    .await
}

async fn get_capabilities(request: Request) -> Response {
    grpc::unary(request, async |_: Empty| {
        let search = SearchCapabilities {
            without_service_name: true,
            same_span_conjunction: true,
        };
        Ok(Capabilities {
            search: Some(search),
        })
    })
    .await
}

/// What a search asks for. Its latest start is exclusive.
fn search(parameters: TraceQueryParameters) -> Result<SearchQuery, Failure> {
    let starts = starts_before(
        unix_nano(parameters.start_time_min.as_ref()),
        unix_nano(parameters.start_time_max.as_ref()),
    )?;
    question(parameters, starts)?.into_search()
}

/// The rest of it, in which both versions agree.
pub(super) fn question(
    parameters: TraceQueryParameters,
    starts_unix_nano: std::ops::RangeInclusive<u64>,
) -> Result<Question, Failure> {
    if parameters.filter.is_some() {
        return Err(Failure::Invalid("filter is not supported here".to_owned()));
    }
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let limit = usize::try_from(parameters.search_depth)
        .map_err(|_| Failure::Invalid(format!("search_depth: {}", parameters.search_depth)))?;
    Ok(Question {
        service: given(parameters.service_name),
        operation: given(parameters.operation_name),
        tags: parameters.attributes.into_iter().collect(),
        starts_unix_nano,
        min_duration_nano: nano("duration_min", parameters.duration_min.as_ref())?,
        max_duration_nano: nano("duration_max", parameters.duration_max.as_ref())?,
        limit: Some(limit).filter(|limit| *limit > 0),
    })
}

fn summary(trace: query::TraceSummary) -> TraceSummary {
    let services = trace.services.into_iter().map(|service| ServiceSummary {
        name: service.name,
        span_count: count(service.spans),
        error_span_count: count(service.errors),
    });
    TraceSummary {
        trace_id: trace.trace_id.to_string(),
        root_service_name: trace.root_service,
        root_operation_name: trace.root_name,
        min_start_time_unix_nano: trace.start_unix_nano,
        max_end_time_unix_nano: trace.start_unix_nano.saturating_add(trace.duration_nano),
        span_count: count(trace.span_count),
        error_span_count: count(trace.error_count),
        orphan_span_count: count(trace.orphan_count),
        services: services.collect(),
    }
}

fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
