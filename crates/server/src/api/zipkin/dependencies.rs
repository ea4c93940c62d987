//! `/api/v2/dependencies`.

use std::num::NonZeroU64;

use axum::extract::State;
use http::Uri;
use serde::Serialize;

use super::Answer;
use super::search::parse_range;
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::{Api, READ_TIMEOUT, truncated_header};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    parent: String,
    child: String,
    call_count: u64,
    /// Left out where nothing failed, as in Zipkin.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<NonZeroU64>,
}

pub(super) async fn dependencies(State(api): State<Api>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri)?;
    let starts = parse_range(&parameters, api.clock.now_unix_nano())?;
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let calls = query::dependencies(question.snapshot, starts, &question.budget)?;
        if calls.truncated {
            // Zipkin's form has no word for a part of the counts, and a wrong map is worse than none.
            return Err(Failure::TimedOut);
        }
        let links = calls.edges.into_iter().map(|edge| Link {
            parent: edge.parent,
            child: edge.child,
            call_count: edge.calls,
            error_count: NonZeroU64::new(edge.errors),
        });
        Ok(links.collect::<Vec<_>>())
    });
    Ok((truncated_header(false), answer.await?))
}
