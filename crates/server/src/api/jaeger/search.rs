//! What Jaeger's search asks for.

use model::TraceId;
use query::SearchQuery;

use super::question::{MAX_LIMIT, Question, parse_tags};
use crate::api::duration;
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;

const MAX_TRACE_IDS: usize = 1000;
const NANO_PER_US: u64 = 1000;

/// A search, or a list of traces.
#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    Search(SearchQuery),
    Traces(Vec<TraceId>),
}

pub(super) fn parse(parameters: &Parameters, now_unix_nano: u64) -> Result<Wanted, Failure> {
    let ids: Vec<TraceId> = parameters
        .all("traceID")
        .map(TraceId::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::Invalid(format!("cannot parse traceID param: {error}")))?;
    if ids.len() > MAX_TRACE_IDS {
        let message = format!(
            "parameter traceID: there are {}, at most {MAX_TRACE_IDS} are allowed",
            ids.len()
        );
        return Err(Failure::Invalid(message));
    }
    if !ids.is_empty() {
        return Ok(Wanted::Traces(ids));
    }

    let mut tags = Vec::new();
    for tag in parameters.all("tag") {
        let (key, value) = tag.split_once(':').ok_or_else(|| {
            let message =
                format!("malformed 'tag' parameter, expecting key:value, received: {tag}");
            Failure::Invalid(message)
        })?;
        tags.push((key.to_owned(), value.to_owned()));
    }
    for more in parameters.all("tags") {
        tags.extend(parse_tags("tags", more)?);
    }
    let question = Question {
        service: parameters.get("service").map(str::to_owned),
        operation: parameters.get("operation").map(str::to_owned),
        tags,
        starts_unix_nano: parse_range(parameters, now_unix_nano)?,
        min_duration_nano: parameters.duration_nano("minDuration")?,
        max_duration_nano: parameters.duration_nano("maxDuration")?,
        limit: parameters.parse("limit", &expected_limit(), |text| {
            text.parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?,
    };
    Ok(Wanted::Search(question.into_search()?))
}

/// What the parameter for the number of traces must be.
pub(super) fn expected_limit() -> String {
    format!("an integer from 1 to {MAX_LIMIT}")
}

/// `start` and `end` in microseconds; `lookback` stands for `start` where that is missing.
fn parse_range(
    parameters: &Parameters,
    now_unix_nano: u64,
) -> Result<std::ops::RangeInclusive<u64>, Failure> {
    let expected = "an integer of microseconds since 1970";
    let microseconds = |text: &str| text.parse::<u64>().ok()?.checked_mul(NANO_PER_US);
    let start = parameters.parse("start", expected, microseconds)?;
    let end = parameters.parse("end", expected, microseconds)?;
    let expected = "a duration such as 1h or 2d, or custom";
    let lookback = parameters.parse("lookback", expected, |text| match text {
        "custom" => Some(None),
        text => duration::parse_nano(text).map(Some),
    })?;
    // The microsecond itself belongs to the range.
    let last = end.map_or(u64::MAX, |end| end.saturating_add(NANO_PER_US - 1));
    let before = |lookback: u64| end.unwrap_or(now_unix_nano).saturating_sub(lookback);
    let first = start.or(lookback.flatten().map(before)).unwrap_or(0);
    if first > last {
        return Err(Failure::Invalid(
            "parameter start: it is after 'end'".to_owned(),
        ));
    }
    Ok(first..=last)
}
