//! `/sourcemaps/needs`: which scripts the exceptions of a time were in, and whether a map was there for them.

use std::collections::BTreeMap;

use axum::extract::State;
use http::Uri;
use model::{AttributeScope, TraceId};
use query::{AttributeTest, Condition, QueryError, SearchQuery};
use serde::Serialize;

use super::exception::ScriptBody;
use super::{Answer, Hex};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::stacks::{ExceptionEvent, resource_of};
use crate::api::{Api, Question, SEARCH_TIMEOUT};
use artifacts::resolve::{Kept, Outcome, Resolved};

/// Traces with exceptions that are looked at, the newest.
const MAX_TRACES: usize = 500;
/// Scripts that are told apart.
const MAX_SCRIPTS: usize = 1000;
/// What is looked at where nothing else is asked for: a day.
const DEFAULT_RANGE_NANO: u64 = 24 * 3600 * 1_000_000_000;

#[derive(Serialize)]
struct Body {
    scripts: Vec<Need>,
    exceptions: u64,
    traces: usize,
    truncated: bool,
}

/// A script that frames are in.
#[derive(Serialize)]
struct Need {
    service: String,
    version: Option<String>,
    #[serde(flatten)]
    script: ScriptBody,
    exceptions: u64,
    frames: u64,
    resolved_frames: u64,
    not_covered_frames: u64,
    example_trace_id: Hex<TraceId>,
}

pub(super) async fn needs(State(api): State<Api>, uri: Uri) -> Answer {
    let parameters = Parameters::of(&uri)?;
    parameters.refuse_others(&["service", "start", "end"])?;
    parameters.refuse_repeats(&[])?;
    let now = api.clock.now_unix_nano();
    let end = parameters.unix_nano("end")?.unwrap_or(now);
    let start = parameters.unix_nano("start")?;
    let start = start.unwrap_or_else(|| end.saturating_sub(DEFAULT_RANGE_NANO));
    if start > end {
        let message = format!("parameter start: {start} is after end {end}");
        return Err(Failure::Invalid(message).into());
    }
    let has = |key: &str| Condition::Attribute {
        scope: Some(AttributeScope::Event),
        key: key.to_owned(),
        test: AttributeTest::exists(),
    };
    let mut conditions = vec![Condition::AnyOf(vec![
        has("exception.stacktrace"),
        has("exception.structured_stacktrace.urls"),
    ])];
    let service = parameters.get("service").map(str::to_owned);
    conditions.extend(service.clone().map(Condition::Service));
    let query = SearchQuery {
        conditions,
        starts_unix_nano: start..=end,
        limit: MAX_TRACES,
        cursor: None,
    };
    let answer = api.ask_for_json(SEARCH_TIMEOUT, move |question| {
        look(question, &query, service.as_deref())
    });
    Ok(answer.await?)
}

fn look(
    question: &Question<'_>,
    query: &SearchQuery,
    service: Option<&str>,
) -> Result<Body, Failure> {
    let page = query::search(question.snapshot, query, &question.budget)?;
    let mut truncated = page.truncated || page.next.is_some();
    let mut needs: BTreeMap<(String, Option<String>, String), Need> = BTreeMap::new();
    let (mut exceptions, mut traces) = (0, 0);
    for summary in &page.traces {
        let trace = match query::trace(question.snapshot, summary.trace_id, &question.budget) {
            Ok(Some(trace)) => trace,
            Ok(None) => continue,
            Err(QueryError::OverBudget) if traces > 0 => {
                truncated = true;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        traces += 1;
        let columns = trace.batch.columns();
        for row in (0..columns.len())
            .filter(|row| service.is_none_or(|name| columns.service(*row) == name))
        {
            for event in columns.event_rows(row) {
                let attributes = columns.events.attributes(event);
                let name = columns.events.names.value(event);
                let resource = resource_of(&columns, row, event);
                let found = ExceptionEvent::of(
                    name,
                    attributes,
                    columns.service(row),
                    resource,
                    columns.attributes(row),
                )?;
                let Some(stack) = found.as_ref().and_then(ExceptionEvent::stack_trace) else {
                    continue;
                };
                exceptions += 1;
                let resolved = question.stacks.resolve(&stack).map_err(Failure::internal)?;
                let of = (stack.service, stack.version);
                truncated |= !add(&mut needs, of, &resolved, summary.trace_id);
            }
        }
    }
    // A script whose frames are all in sources already needs nothing.
    let mut scripts: Vec<Need> = needs.into_values().filter(|need| need.frames > 0).collect();
    // What has the most frames without a line comes first.
    scripts.sort_by_key(|need| {
        std::cmp::Reverse(need.frames - need.resolved_frames - need.not_covered_frames)
    });
    Ok(Body {
        scripts,
        exceptions,
        traces,
        truncated,
    })
}

/// Counts an exception's frames. False where there are too many scripts.
fn add(
    needs: &mut BTreeMap<(String, Option<String>, String), Need>,
    (service, version): (&str, Option<&str>),
    resolved: &Resolved,
    trace_id: TraceId,
) -> bool {
    let mut is_whole = true;
    for (index, script) in resolved.scripts.iter().enumerate() {
        let key = (
            service.to_owned(),
            version.map(str::to_owned),
            script.url.clone(),
        );
        if needs.len() == MAX_SCRIPTS && !needs.contains_key(&key) {
            is_whole = false;
            continue;
        }
        let need = needs.entry(key).or_insert_with(|| Need {
            service: service.to_owned(),
            version: version.map(str::to_owned),
            script: ScriptBody::of(script),
            exceptions: 0,
            frames: 0,
            resolved_frames: 0,
            not_covered_frames: 0,
            example_trace_id: Hex(trace_id),
        });
        need.exceptions += 1;
        for frame in &resolved.frames {
            match &frame.outcome {
                Outcome::Resolved(location) if location.script == index => {
                    need.frames += 1;
                    need.resolved_frames += 1;
                }
                Outcome::Kept(Kept::NotCovered { script }) if *script == index => {
                    need.frames += 1;
                    need.not_covered_frames += 1;
                }
                Outcome::Kept(Kept::NoMap { script } | Kept::BadMap { script })
                    if *script == index =>
                {
                    need.frames += 1;
                }
                _ => {}
            }
        }
    }
    is_whole
}
