//! Names, calls between services, and what this server can do.

use axum::extract::State;
use http::Uri;
use serde::Serialize;

use super::Answer;
use crate::api::failure::Failure;
use crate::api::jaeger::catalogue::span_kind;
use crate::api::jaeger::dependencies::calls;
use crate::api::jaeger::question::starts_before;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, READ_TIMEOUT};

pub(super) async fn services(State(api): State<Api>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        services: Vec<String>,
    }
    let answer = api.ask_for_json(READ_TIMEOUT, |question| {
        let services = query::services(question.snapshot)?;
        Ok(Body { services })
    });
    Ok(answer.await?)
}

pub(super) async fn operations(State(api): State<Api>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        operations: Vec<Operation>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Operation {
        name: String,
        span_kind: &'static str,
    }
    let parameters = Parameters::of(&uri)?;
    let kind = parameters.first_of(&["spanKind", "span_kind"]);
    let kind = kind.map(|(_, kind)| kind.to_owned());
    let service = parameters.get("service").map(str::to_owned);
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let operations = query::operations(question.snapshot, service.as_deref())?;
        let operations = operations.into_iter().map(|operation| Operation {
            name: operation.name,
            span_kind: match span_kind(operation.kind) {
                // As Jaeger's HTTP API v3 shows a kind that was not given.
                "" => "internal",
                kind => kind,
            },
        });
        let is_wanted = |kind: &Option<String>, operation: &Operation| {
            kind.as_ref().is_none_or(|kind| operation.span_kind == kind)
        };
        let mut operations: Vec<_> = operations
            .filter(|operation| is_wanted(&kind, operation))
            .collect();
        operations.dedup();
        Ok(Body { operations })
    });
    Ok(answer.await?)
}

pub(super) async fn dependencies(State(api): State<Api>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        dependencies: Vec<Dependency>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Dependency {
        parent: String,
        child: String,
        /// A text, as all 64-bit numbers in JSON of protobuf.
        call_count: String,
    }
    let parameters = Parameters::of(&uri)?;
    let required = |names: &[&str]| {
        let instant = parameters.first_unix_nano(names)?;
        instant.ok_or_else(|| Failure::Invalid(format!("parameter '{}' is required", names[0])))
    };
    let start = required(&["startTime", "start_time"])?;
    let end = required(&["endTime", "end_time"])?;
    let starts = starts_before(Some(start), Some(end))?;
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let edges = calls(question, starts)?.into_iter();
        let dependencies = edges.map(|edge| Dependency {
            parent: edge.parent,
            child: edge.child,
            call_count: edge.calls.to_string(),
        });
        Ok(Body {
            dependencies: dependencies.collect(),
        })
    });
    Ok(answer.await?)
}

/// Jaeger's page asks for it to know what it may send.
pub(super) async fn capabilities() -> Answer {
    #[derive(Serialize)]
    struct Body {
        search: Search,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Search {
        without_service_name: bool,
        same_span_conjunction: bool,
    }
    let search = Search {
        without_service_name: true,
        same_span_conjunction: true,
    };
    Ok(Json::write(&Body { search })?)
}
