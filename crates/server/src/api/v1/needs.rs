//! `/sourcemaps/needs`: which scripts the exceptions of a time were in, and whether a map was there for them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

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
/// The attributes that a stack is in.
const STACK_KEYS: [&str; 2] = [
    "exception.stacktrace",
    "exception.structured_stacktrace.urls",
];
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
    let has = |key: &&str| Condition::Attribute {
        scope: Some(AttributeScope::Event),
        key: (*key).to_owned(),
        test: AttributeTest::exists(),
    };
    let mut conditions = vec![Condition::AnyOf(STACK_KEYS.iter().map(has).collect())];
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
    let mut found = Found::default();
    found.of_spans(question, query, service)?;
    found.of_log_records(question, &query.starts_unix_nano, service)?;
    // A script whose frames are all in sources already needs nothing.
    let needs = found.needs.into_values();
    let mut scripts: Vec<Need> = needs.filter(|need| need.frames > 0).collect();
    // What has the most frames without a line comes first.
    scripts.sort_by_key(|need| {
        std::cmp::Reverse(need.frames - need.resolved_frames - need.not_covered_frames)
    });
    Ok(Body {
        scripts,
        exceptions: found.exceptions,
        traces: found.traces.len(),
        truncated: found.truncated,
    })
}

#[derive(Default)]
struct Found {
    /// By service, version and address.
    needs: BTreeMap<(String, Option<String>, String), Need>,
    exceptions: u64,
    traces: BTreeSet<TraceId>,
    truncated: bool,
}

impl Found {
    fn of_spans(
        &mut self,
        question: &Question<'_>,
        query: &SearchQuery,
        service: Option<&str>,
    ) -> Result<(), Failure> {
        let page = query::search(question.snapshot, query, &question.budget)?;
        self.truncated |= page.truncated || page.next.is_some();
        for summary in &page.traces {
            let trace = match query::trace(question.snapshot, summary.trace_id, &question.budget) {
                Ok(Some(trace)) => trace,
                Ok(None) => continue,
                Err(QueryError::OverBudget) if !self.traces.is_empty() => {
                    self.truncated = true;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            self.traces.insert(summary.trace_id);
            let columns = trace.batch.columns();
            for row in (0..columns.len())
                .filter(|row| service.is_none_or(|name| columns.service(*row) == name))
            {
                for event in columns.event_rows(row) {
                    let exception = ExceptionEvent::of(
                        columns.events.names.value(event),
                        columns.events.attributes(event),
                        columns.service(row),
                        resource_of(&columns, row, event),
                        columns.attributes(row),
                    )?;
                    self.count(question, exception.as_ref(), summary.trace_id)?;
                }
            }
        }
        Ok(())
    }

    /// Exceptions that came as log records, while their span is not here: no search for spans finds these.
    fn of_log_records(
        &mut self,
        question: &Question<'_>,
        times_unix_nano: &RangeInclusive<u64>,
        service: Option<&str>,
    ) -> Result<(), Failure> {
        let mut trace_ids = BTreeSet::new();
        for key in STACK_KEYS {
            let since_unix_nano = *times_unix_nano.start();
            let test = AttributeTest::exists();
            let mut found = query::traces_of_lone_events(
                question.snapshot,
                key,
                &test,
                since_unix_nano,
                &question.budget,
            )?;
            self.truncated |= found.truncated;
            trace_ids.append(&mut found.trace_ids);
        }
        self.truncated |= trace_ids.len() > MAX_TRACES;
        for trace_id in trace_ids.into_iter().take(MAX_TRACES) {
            let events =
                match query::events_without_span(question.snapshot, trace_id, &question.budget) {
                    Err(QueryError::OverBudget) if !self.traces.is_empty() => {
                        self.truncated = true;
                        return Ok(());
                    }
                    events => events?,
                };
            let columns = events.event_columns();
            for row in columns.lone_rows() {
                let time_unix_nano = columns.times.value(row);
                let is_in_time = time_unix_nano == 0 || times_unix_nano.contains(&time_unix_nano);
                if !is_in_time || service.is_some_and(|name| columns.service(row) != name) {
                    continue;
                }
                let exception = ExceptionEvent::without_span(&columns, row)?;
                self.count(question, exception.as_ref(), trace_id)?;
            }
        }
        Ok(())
    }

    fn count(
        &mut self,
        question: &Question<'_>,
        exception: Option<&ExceptionEvent<'_>>,
        trace_id: TraceId,
    ) -> Result<(), Failure> {
        let Some(stack) = exception.and_then(ExceptionEvent::stack_trace) else {
            return Ok(());
        };
        self.exceptions += 1;
        self.traces.insert(trace_id);
        let resolved = question.stacks.resolve(&stack).map_err(Failure::internal)?;
        let of = (stack.service, stack.version);
        self.truncated |= !add(&mut self.needs, of, &resolved, trace_id);
        Ok(())
    }
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
