//! `jaeger.api_v2.QueryService`: spans in Jaeger's own model.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use model::TraceId;
use query::SearchQuery;
use tonic::Status;

use super::messages::{
    Dependencies, Empty, FindTracesRequest, GetDependenciesRequest, GetOperationsRequest,
    GetTraceByBytes, OperationsAndNames, Services, TraceQueryParameters,
};
use super::{catalogue, model::write, parts, unix_nano, v3::question};
use crate::api::Api;
use crate::api::failure::Failure;
use crate::grpc;

pub(super) fn routes() -> Router<Api> {
    let path = |method| format!("/jaeger.api_v2.QueryService/{method}");
    Router::new()
        .route(&path("GetTrace"), post(get_trace))
        .route(&path("ArchiveTrace"), post(archive_trace))
        .route(&path("FindTraces"), post(find_traces))
        .route(&path("GetServices"), post(get_services))
        .route(&path("GetOperations"), post(get_operations))
        .route(&path("GetDependencies"), post(get_dependencies))
}

async fn get_trace(State(api): State<Api>, request: Request) -> Response {
    grpc::streaming(request, async |request: GetTraceByBytes| {
        parts::trace(api.clone(), trace_id(&request.trace_id)?, write).await
    })
    .await
}

/// Both halves, or the lower one alone.
fn trace_id(bytes: &[u8]) -> Result<TraceId, Failure> {
    let mut id = [0; 16];
    match bytes.len() {
        len @ (8 | 16) => {
            id[16 - len..].copy_from_slice(bytes);
            Ok(TraceId(id))
        }
        len => Err(Failure::Invalid(format!(
            "trace_id: {len} bytes, and 16 or 8 are an id"
        ))),
    }
}

async fn archive_trace() -> Response {
    let message = "there is no archive; all traces are kept as long as retention says";
    Status::unimplemented(message).into_http()
}

async fn find_traces(State(api): State<Api>, request: Request) -> Response {
    grpc::streaming(request, async |request: FindTracesRequest| {
        let query = search(request.query.unwrap_or_default())?;
        parts::search(api.clone(), query, write).await
    })
    .await
}

/// What a search asks for. Its latest start is inclusive, as over HTTP v1.
fn search(parameters: TraceQueryParameters) -> Result<SearchQuery, Failure> {
    let first = unix_nano(parameters.start_time_min.as_ref()).unwrap_or(0);
    let last = unix_nano(parameters.start_time_max.as_ref()).unwrap_or(u64::MAX);
    if first > last {
        let message = "start_time_min is after start_time_max";
        return Err(Failure::Invalid(message.to_owned()));
    }
    question(parameters, first..=last)?.into_search()
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
        let mut operation_names: Vec<String> = operations
            .iter()
            .map(|operation| operation.name.clone())
            .collect();
        operation_names.dedup();
        Ok(OperationsAndNames {
            operation_names,
            operations,
        })
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
