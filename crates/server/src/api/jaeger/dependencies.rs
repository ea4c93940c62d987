//! `/api/dependencies`.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::extract::State;
use http::Uri;
use serde::Serialize;

use super::{Answer, Envelope};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::{Api, Question, READ_TIMEOUT};

const NANO_PER_MS: u64 = 1_000_000;
const DEFAULT_LOOKBACK: Duration = Duration::from_hours(24);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    parent: String,
    child: String,
    call_count: u64,
}

/// The calls between services, all of them: Jaeger's forms have no word for a part of the counts, and a wrong map is worse than none.
pub(super) fn calls(
    question: &Question<'_>,
    starts: RangeInclusive<u64>,
) -> Result<Vec<query::Dependency>, Failure> {
    let calls = query::dependencies(question.snapshot, starts, &question.budget)?;
    if calls.truncated {
        return Err(Failure::TimedOut);
    }
    Ok(calls.edges)
}

pub(super) async fn dependencies(State(api): State<Api>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri)?;
    let milliseconds = |text: &str| text.parse::<u64>().ok()?.checked_mul(NANO_PER_MS);
    let expected = "an integer of milliseconds since 1970";
    let end = parameters.parse("endTs", expected, milliseconds)?;
    let expected = "an integer of milliseconds";
    let lookback = parameters.parse("lookback", expected, milliseconds)?;
    let service = parameters.get("service").map(str::to_owned);

    // The millisecond itself belongs to the range.
    let end = end.map_or_else(
        || api.clock.now_unix_nano(),
        |end| end.saturating_add(NANO_PER_MS - 1),
    );
    let start = end.saturating_sub(lookback.unwrap_or(DEFAULT_LOOKBACK.as_nanos() as u64));
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let edges = calls(question, start..=end)?.into_iter();
        let edges = edges.map(|edge| Dependency {
            parent: edge.parent,
            child: edge.child,
            call_count: edge.calls,
        });
        let is_wanted = |edge: &Dependency| {
            let service = service.as_ref();
            service.is_none_or(|service| *service == edge.parent || *service == edge.child)
        };
        Ok(Envelope::of(edges.filter(is_wanted).collect::<Vec<_>>()))
    });
    Ok(answer.await?)
}
