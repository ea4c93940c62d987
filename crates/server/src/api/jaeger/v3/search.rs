//! What a search asks for.

use query::SearchQuery;

use crate::api::failure::Failure;
use crate::api::jaeger::question::{MAX_LIMIT, Question, parse_tags, starts_before};
use crate::api::jaeger::search::expected_limit;
use crate::api::parameters::Parameters;

// Each parameter's names: that of today, then the older ones. `query.span_name` is what one release of Jaeger's page sends.
const SERVICE: &[&str] = &["query.serviceName", "query.service_name"];
const OPERATION: &[&str] = &[
    "query.operationName",
    "query.operation_name",
    "query.spanName",
    "query.span_name",
];
const ATTRIBUTES: &[&str] = &["query.attributes", "query.tags"];
const START_MIN: &[&str] = &["query.startTimeMin", "query.start_time_min"];
const START_MAX: &[&str] = &["query.startTimeMax", "query.start_time_max"];
const DURATION_MIN: &[&str] = &["query.durationMin", "query.duration_min"];
const DURATION_MAX: &[&str] = &["query.durationMax", "query.duration_max"];
const LIMIT: &[&str] = &[
    "query.searchDepth",
    "query.search_depth",
    "query.numTraces",
    "query.num_traces",
];
const RAW: &[&str] = &["query.rawTraces", "query.raw_traces"];
const ALL: [&[&str]; 9] = [
    SERVICE,
    OPERATION,
    ATTRIBUTES,
    START_MIN,
    START_MAX,
    DURATION_MIN,
    DURATION_MAX,
    LIMIT,
    RAW,
];

pub(super) fn parse(parameters: &Parameters) -> Result<SearchQuery, Failure> {
    refuse_unknown(parameters)?;
    check_raw(parameters, RAW)?;
    let text = |names| {
        parameters
            .first_of(names)
            .map(|(_, value)| value.to_owned())
    };
    let tags = match parameters.first_of(ATTRIBUTES) {
        Some((name, json)) => parse_tags(name, json)?,
        None => Vec::new(),
    };
    let question = Question {
        service: text(SERVICE),
        operation: text(OPERATION),
        tags,
        starts_unix_nano: starts_before(
            parameters.first_unix_nano(START_MIN)?,
            parameters.first_unix_nano(START_MAX)?,
        )?,
        min_duration_nano: parameters.first_duration_nano(DURATION_MIN)?,
        max_duration_nano: parameters.first_duration_nano(DURATION_MAX)?,
        limit: parameters.parse_first(LIMIT, &expected_limit(), |text| {
            let limit = text.parse().ok();
            limit.filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?,
    };
    question.into_search()
}

/// A condition that is not understood must not be one that holds: that would find more than was asked for.
fn refuse_unknown(parameters: &Parameters) -> Result<(), Failure> {
    let is_known = |name: &str| ALL.iter().any(|names| names.contains(&name));
    let unknown = parameters
        .names()
        .find(|name| name.starts_with("query.") && !is_known(name));
    match unknown {
        None => Ok(()),
        Some(name) => Err(Failure::Invalid(format!(
            "parameter {name:?} is not supported here; GET /api/v3/capabilities says what is"
        ))),
    }
}

/// Whether a flag is one, as Go reads it. Traces are always as they were stored.
pub(super) fn check_raw(parameters: &Parameters, names: &[&str]) -> Result<(), Failure> {
    parameters.parse_first(names, "true or false", |text| match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    })?;
    Ok(())
}
