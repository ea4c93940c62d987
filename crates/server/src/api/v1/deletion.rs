//! `DELETE /traces/{trace_id}` and `DELETE /spans`: personal data has to go when somebody asks.

use axum::Extension;
use axum::extract::{Path, State};
use http::{HeaderMap, Uri};
use serde::Serialize;
use store::Deletion;

use super::{Answer, Error};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::same_site::refuse_other_sites;
use crate::api::{Api, Json};
use crate::auth::Principal;

pub(super) async fn trace(
    State(api): State<Api>,
    Path(trace_id): Path<String>,
    by: Option<Extension<Principal>>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    let trace_id = super::trace_id(&trace_id)?;
    delete(&api, by, &headers, Deletion::Trace(trace_id)).await
}

pub(super) async fn spans(
    State(api): State<Api>,
    by: Option<Extension<Principal>>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    let parameters = Parameters::of(&uri)?;
    parameters.refuse_others(&["service", "start", "end"])?;
    parameters.refuse_repeats(&[])?;
    let missing = |name: &str| {
        Failure::Invalid(format!(
            "parameter {name} is missing; deleting spans needs service, start and end"
        ))
    };
    let service = parameters
        .get("service")
        .ok_or_else(|| missing("service"))?;
    let start = parameters.unix_nano("start")?;
    let start = start.ok_or_else(|| missing("start"))?;
    let end = parameters.unix_nano("end")?.ok_or_else(|| missing("end"))?;
    if start >= end {
        let message = format!("parameter end: {end} is not after start {start}");
        return Err(Error(Failure::Invalid(message)));
    }
    let deletion = Deletion::Spans {
        service: service.to_owned(),
        starts_unix_nano: start..end,
    };
    delete(&api, by, &headers, deletion).await
}

async fn delete(
    api: &Api,
    by: Option<Extension<Principal>>,
    headers: &HeaderMap,
    deletion: Deletion,
) -> Answer {
    #[derive(Serialize)]
    struct Body {
        deleted_spans: u64,
        deleted_events: u64,
    }
    refuse_other_sites(headers)?;
    let what = format!("{deletion:?}");
    let deleted = (api.delete)(deletion).await.map_err(Failure::from)?;
    let (deleted_spans, deleted_events) = (deleted.spans, deleted.events);
    let by = by.map_or(Principal::Anonymous, |Extension(by)| by);
    tracing::info!(what, %by, deleted_spans, deleted_events, "deleted on request");
    let body = Body {
        deleted_spans,
        deleted_events,
    };
    Ok(Json::write(&body)?)
}
