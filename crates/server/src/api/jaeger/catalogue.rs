//! Names of services and operations.

use axum::extract::{Path, State};
use http::Uri;
use serde::Serialize;

use super::{Answer, Envelope};
use crate::api::failure::Failure;
use crate::api::names::kind_name;
use crate::api::parameters::Parameters;
use crate::api::{Api, READ_TIMEOUT};

pub(super) async fn services(State(api): State<Api>) -> Answer {
    let answer = api.ask_for_json(READ_TIMEOUT, |question| {
        Ok(Envelope::of_all(query::services(question.snapshot)?))
    });
    Ok(answer.await?)
}

/// The names of a service's operations, whatever their kind.
pub(super) async fn operation_names(State(api): State<Api>, Path(service): Path<String>) -> Answer {
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let operations = query::operations(question.snapshot, Some(&service))?;
        let mut names: Vec<String> = operations
            .into_iter()
            .map(|operation| operation.name)
            .collect();
        names.dedup();
        Ok(Envelope::of_all(names))
    });
    Ok(answer.await?)
}

pub(super) async fn operations(State(api): State<Api>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Operation {
        name: String,
        span_kind: &'static str,
    }
    let parameters = Parameters::of(&uri)?;
    let Some(service) = parameters.get("service").map(str::to_owned) else {
        return Err(Failure::Invalid("parameter 'service' is required".to_owned()).into());
    };
    let kind = parameters.get("spanKind").map(str::to_owned);
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let operations = query::operations(question.snapshot, Some(&service))?;
        let operations = operations.into_iter().map(|operation| Operation {
            name: operation.name,
            span_kind: span_kind(operation.kind),
        });
        let wanted = operations
            .filter(|operation| kind.as_ref().is_none_or(|kind| operation.span_kind == kind));
        Ok(Envelope::of_all(wanted.collect()))
    });
    Ok(answer.await?)
}

/// Jaeger writes nothing for a kind that was not given.
pub(super) fn span_kind(kind: i32) -> &'static str {
    match kind_name(kind) {
        "unspecified" => "",
        name => name,
    }
}
