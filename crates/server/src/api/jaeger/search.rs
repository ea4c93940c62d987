//! What Jaeger's search asks for.

use model::{AttributeScope, TraceId};
use query::{AttributeTest, Condition, Operand, Operator, SearchQuery};
use serde_json::{Map, Value};

use crate::api::duration;
use crate::api::failure::Failure;
use crate::api::names::kind_number;
use crate::api::parameters::Parameters;

/// As in Jaeger.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;
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

    let mut conditions = Vec::new();
    conditions.extend(
        parameters
            .get("service")
            .map(|name| Condition::Service(name.to_owned())),
    );
    conditions.extend(
        parameters
            .get("operation")
            .map(|name| Condition::Name(name.to_owned())),
    );
    conditions.extend(parse_duration(parameters)?);
    for tag in parameters.all("tag") {
        let (key, value) = tag.split_once(':').ok_or_else(|| {
            let message =
                format!("malformed 'tag' parameter, expecting key:value, received: {tag}");
            Failure::Invalid(message)
        })?;
        conditions.push(tag_condition(key, value)?);
    }
    for tags in parameters.all("tags") {
        for (key, value) in parse_tags(tags)? {
            conditions.push(tag_condition(&key, &value)?);
        }
    }

    let expected = format!("an integer from 1 to {MAX_LIMIT}");
    let limit = parameters.parse("limit", &expected, |text| {
        text.parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
    })?;
    Ok(Wanted::Search(SearchQuery {
        conditions,
        starts_unix_nano: parse_range(parameters, now_unix_nano)?,
        limit: limit.unwrap_or(DEFAULT_LIMIT),
        cursor: None,
    }))
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
    Ok(first..=last)
}

fn parse_duration(parameters: &Parameters) -> Result<Option<Condition>, Failure> {
    let min = parameters.duration_nano("minDuration")?;
    let max = parameters.duration_nano("maxDuration")?;
    if let (Some(min), Some(max)) = (min, max)
        && max < min
    {
        let message = "'maxDuration' should be greater than 'minDuration'".to_owned();
        return Err(Failure::Invalid(message));
    }
    let is_given = min.is_some() || max.is_some();
    Ok(is_given.then(|| Condition::DurationNano(min.unwrap_or(0)..=max.unwrap_or(u64::MAX))))
}

/// `{"key": "value", …}`; Jaeger takes strings only, and we numbers and booleans too.
fn parse_tags(json: &str) -> Result<Vec<(String, String)>, Failure> {
    let invalid = |problem: String| {
        Failure::Invalid(format!(
            "malformed 'tags' parameter, cannot unmarshal JSON: {problem}"
        ))
    };
    let tags: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| invalid(error.to_string()))?;
    tags.into_iter()
        .map(|(key, value)| match value {
            Value::String(value) => Ok((key, value)),
            Value::Bool(_) | Value::Number(_) => Ok((key, value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(invalid(format!("the value of {key:?} is no string")))
            }
        })
        .collect()
}

/// A tag as Jaeger shows it: an attribute, or what it makes of another part of a span.
fn tag_condition(key: &str, value: &str) -> Result<Condition, Failure> {
    let attribute = |scope: Option<AttributeScope>, key: &str| -> Result<Condition, Failure> {
        let test = AttributeTest::new(Operator::Equal, Operand::Written(value.to_owned()));
        Ok(Condition::Attribute {
            scope,
            key: key.to_owned(),
            test: test.map_err(Failure::internal)?,
        })
    };
    let scope = Some(AttributeScope::Instrumentation);
    let made = match (key, value) {
        ("error", "true") | ("otel.status_code", "ERROR") => Some(Condition::Status(2)),
        ("otel.status_code", "OK") => Some(Condition::Status(1)),
        ("span.kind", kind) => kind_number(kind).map(Condition::Kind),
        ("otel.scope.name" | "otel.library.name", _) => Some(attribute(scope, "name")?),
        ("otel.scope.version" | "otel.library.version", _) => Some(attribute(scope, "version")?),
        _ => None,
    };
    let plain = attribute(None, key)?;
    Ok(match made {
        Some(made) => Condition::AnyOf(vec![made, plain]),
        None => plain,
    })
}
