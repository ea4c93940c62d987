//! Names, and calls between services: the same in both versions.

use tonic::Status;

use super::messages::{
    Dependencies, Dependency, GetDependenciesRequest, GetOperationsRequest, Operation, Services,
};
use super::unix_nano;
use crate::api::failure::Failure;
use crate::api::jaeger::catalogue::span_kind;
use crate::api::jaeger::dependencies::calls;
use crate::api::jaeger::question::starts_before;
use crate::api::{Api, READ_TIMEOUT};

pub(super) async fn services(api: &Api) -> Result<Services, Status> {
    let services = api.ask(READ_TIMEOUT, |question| {
        Ok(query::services(question.snapshot)?)
    });
    Ok(Services {
        services: services.await?,
    })
}

/// The operations of a service, or of all when none is named.
pub(super) async fn operations(
    api: &Api,
    request: GetOperationsRequest,
) -> Result<Vec<Operation>, Status> {
    let GetOperationsRequest {
        service,
        span_kind: kind,
    } = request;
    let operations = api.ask(READ_TIMEOUT, move |question| {
        let service = Some(service.as_str()).filter(|service| !service.is_empty());
        Ok(query::operations(question.snapshot, service)?)
    });
    let operations = operations.await?.into_iter().map(|operation| Operation {
        name: operation.name,
        span_kind: span_kind(operation.kind).to_owned(),
    });
    Ok(operations
        .filter(|operation| kind.is_empty() || operation.span_kind == kind)
        .collect())
}

pub(super) async fn dependencies(
    api: &Api,
    request: &GetDependenciesRequest,
) -> Result<Dependencies, Status> {
    let required = |name: &str, instant| {
        unix_nano(instant).ok_or_else(|| Failure::Invalid(format!("{name} is required")))
    };
    let start = required("start_time", request.start_time.as_ref())?;
    let end = required("end_time", request.end_time.as_ref())?;
    let starts = starts_before(Some(start), Some(end))?;
    let calls = api.ask(READ_TIMEOUT, move |question| calls(question, starts));
    let dependencies = calls.await?.into_iter().map(|edge| Dependency {
        parent: edge.parent,
        child: edge.child,
        call_count: edge.calls,
    });
    Ok(Dependencies {
        dependencies: dependencies.collect(),
    })
}
