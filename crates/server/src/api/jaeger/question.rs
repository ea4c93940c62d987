//! What a search asks for, however it was written: all of Jaeger's APIs read into this, so that they find the same traces.

use std::ops::RangeInclusive;

use model::AttributeScope;
use query::{AttributeTest, Condition, Operand, Operator, SearchQuery};
use serde_json::{Map, Value};

use crate::api::failure::Failure;
use crate::api::names::kind_number;

/// As in Jaeger.
const DEFAULT_LIMIT: usize = 100;
pub(super) const MAX_LIMIT: usize = 10_000;

/// A search in Jaeger's terms. What is `None` is not asked for.
pub(super) struct Question {
    pub(super) service: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) starts_unix_nano: RangeInclusive<u64>,
    pub(super) min_duration_nano: Option<u64>,
    pub(super) max_duration_nano: Option<u64>,
    pub(super) limit: Option<usize>,
}

impl Question {
    pub(super) fn into_search(self) -> Result<SearchQuery, Failure> {
        let mut conditions = Vec::new();
        conditions.extend(self.service.map(Condition::Service));
        conditions.extend(self.operation.map(Condition::Name));
        let (min, max) = (self.min_duration_nano, self.max_duration_nano);
        if min.is_some() || max.is_some() {
            let range = min.unwrap_or(0)..=max.unwrap_or(u64::MAX);
            if range.is_empty() {
                let message = "the maximum duration is shorter than the minimum duration";
                return Err(Failure::Invalid(message.to_owned()));
            }
            conditions.push(Condition::DurationNano(range));
        }
        for (key, value) in &self.tags {
            conditions.push(tag_condition(key, value)?);
        }
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let message = format!("the number of traces, {limit}, is not from 1 to {MAX_LIMIT}");
            return Err(Failure::Invalid(message));
        }
        Ok(SearchQuery {
            conditions,
            starts_unix_nano: self.starts_unix_nano,
            limit,
            cursor: None,
        })
    }
}

/// From `min` to before `max`, as Jaeger's API v3 means it.
pub(super) fn starts_before(
    min: Option<u64>,
    max: Option<u64>,
) -> Result<RangeInclusive<u64>, Failure> {
    let first = min.unwrap_or(0);
    match max {
        Some(max) if max < first => Err(Failure::Invalid(
            "the latest start time is before the earliest".to_owned(),
        )),
        // Nothing starts before 1970; a range without an instant is written backwards.
        Some(0) => Ok(RangeInclusive::new(1, 0)),
        Some(max) => Ok(first..=max - 1),
        None => Ok(first..=u64::MAX),
    }
}

/// `{"key": "value", …}`; Jaeger takes strings only, and we numbers and booleans too.
pub(super) fn parse_tags(parameter: &str, json: &str) -> Result<Vec<(String, String)>, Failure> {
    let invalid = |problem: String| {
        Failure::Invalid(format!(
            "malformed '{parameter}' parameter, cannot unmarshal JSON: {problem}"
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
pub(in crate::api) fn tag_condition(key: &str, value: &str) -> Result<Condition, Failure> {
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
