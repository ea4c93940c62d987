//! `/services`, `/operations` and `/status`.

use axum::extract::State;
use http::Uri;
use serde::Serialize;

use super::{Answer, UnixNano};
use crate::api::names::kind_name;
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
    #[derive(Serialize)]
    struct Operation {
        name: String,
        kind: &'static str,
    }
    let parameters = Parameters::of(&uri)?;
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let service = parameters.get("service");
        let operations = query::operations(question.snapshot, service)?.into_iter();
        let operations = operations.map(|operation| Operation {
            name: operation.name,
            kind: kind_name(operation.kind),
        });
        Ok(Body {
            operations: operations.collect(),
        })
    });
    Ok(answer.await?)
}

/// Answered from memory, so it does not wait in line: the page asks for it when something is wrong, too.
pub(super) async fn status(State(api): State<Api>) -> Answer {
    #[derive(Serialize)]
    struct Body {
        version: &'static str,
        spans: u64,
        oldest_start_unix_nano: Option<UnixNano>,
        newest_start_unix_nano: Option<UnixNano>,
        listeners: Vec<Listener>,
    }
    #[derive(Serialize)]
    struct Listener {
        name: &'static str,
        address: String,
    }
    let extent = query::extent(&(api.take_snapshot)());
    let listeners = api.listeners.iter().map(|listener| Listener {
        name: listener.name,
        address: listener.address.to_string(),
    });
    let body = Body {
        version: env!("CARGO_PKG_VERSION"),
        spans: extent.spans,
        oldest_start_unix_nano: extent.starts_unix_nano.map(|(oldest, _)| UnixNano(oldest)),
        newest_start_unix_nano: extent.starts_unix_nano.map(|(_, newest)| UnixNano(newest)),
        listeners: listeners.collect(),
    };
    Ok(Json::write(&body)?)
}
