//! What a search asks for.

use model::{AttributeScope, ScanError};
use query::{AttributeTest, Condition, Operand, Operator, SearchQuery};
use store::Snapshot;

use super::names::{any_of, services, spans};
use super::{DEFAULT_LOOKBACK_NANO, NANO_PER_MS, NANO_PER_US};
use crate::api::failure::Failure;
use crate::api::jaeger::tag_condition;
use crate::api::parameters::Parameters;

/// As in Zipkin.
const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: usize = 10_000;
/// Of a query with more conditions, the rest is one of them, as in Zipkin.
const MAX_CONDITIONS: usize = 100;
const STATUS_ERROR: i32 = 2;

/// Attributes that name the service on the other side, the one that says most first.
pub(super) const REMOTE_SERVICE_KEYS: [&str; 4] =
    ["peer.service", "server.address", "net.peer.name", "db.name"];

/// A search whose names are not yet looked up.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    service: Option<String>,
    span: Option<String>,
    query: SearchQuery,
}

impl Wanted {
    pub(super) fn parse(parameters: &Parameters, now_unix_nano: u64) -> Result<Self, Failure> {
        let mut conditions = Vec::new();
        conditions.extend(parse_duration(parameters)?);
        if let Some(name) = parameters.get("remoteServiceName") {
            conditions.push(remote_service(name)?);
        }
        if let Some(query) = parameters.get("annotationQuery") {
            for (key, value) in annotation_query(query) {
                conditions.push(annotation_condition(key, value)?);
            }
        }
        let expected = format!("an integer from 1 to {MAX_LIMIT}");
        let limit = parameters.parse("limit", &expected, |text| {
            let limit = text.parse().ok();
            limit.filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        Ok(Self {
            service: parameters.get("serviceName").map(str::to_owned),
            span: parameters
                .get("spanName")
                .filter(|name| *name != "all")
                .map(str::to_owned),
            query: SearchQuery {
                conditions,
                starts_unix_nano: parse_range(parameters, now_unix_nano)?,
                limit: limit.unwrap_or(DEFAULT_LIMIT),
                cursor: None,
            },
        })
    }

    /// The search, with the names that there are.
    pub(super) fn resolve(self, snapshot: &Snapshot) -> Result<SearchQuery, ScanError> {
        let mut query = self.query;
        if let Some(name) = &self.service {
            let meant = services(snapshot, name)?;
            query.conditions.push(any_of(meant, Condition::Service));
        }
        if let Some(name) = &self.span {
            let meant = spans(snapshot, name)?;
            query.conditions.push(any_of(meant, Condition::Name));
        }
        Ok(query)
    }
}

/// From `lookback` before `endTs` to `endTs`, both in milliseconds. The millisecond itself belongs to the range.
pub(super) fn parse_range(
    parameters: &Parameters,
    now_unix_nano: u64,
) -> Result<std::ops::RangeInclusive<u64>, Failure> {
    let positive = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let nano = |text: &str| positive(text)?.checked_mul(NANO_PER_MS);
    let expected = "a positive integer of milliseconds since 1970";
    let end = parameters.parse("endTs", expected, nano)?;
    let expected = "a positive integer of milliseconds";
    let lookback = parameters.parse("lookback", expected, nano)?;
    let end = end.unwrap_or(now_unix_nano);
    let start = end.saturating_sub(lookback.unwrap_or(DEFAULT_LOOKBACK_NANO));
    Ok(start..=end.saturating_add(NANO_PER_MS - 1))
}

/// Microseconds. What is shown is rounded down, so what follows the last one belongs to it.
fn parse_duration(parameters: &Parameters) -> Result<Option<Condition>, Failure> {
    let micros = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let expected = "a positive integer of microseconds";
    let min = parameters.parse("minDuration", expected, micros)?;
    let max = parameters.parse("maxDuration", expected, micros)?;
    match (min, max) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Failure::Invalid(
            "maxDuration is only valid with minDuration".to_owned(),
        )),
        (Some(min), Some(max)) if max < min => {
            Err(Failure::Invalid("maxDuration < minDuration".to_owned()))
        }
        (Some(min), max) => {
            let nano = |micros: u64| micros.saturating_mul(NANO_PER_US);
            let last = max.map_or(u64::MAX, |max| nano(max).saturating_add(NANO_PER_US - 1));
            Ok(Some(Condition::DurationNano(nano(min)..=last)))
        }
    }
}

fn remote_service(name: &str) -> Result<Condition, Failure> {
    let of_key = |key: &&str| {
        let test = AttributeTest::new(Operator::Equal, Operand::Quoted(name.to_owned()));
        Ok(Condition::Attribute {
            scope: Some(AttributeScope::Span),
            key: (*key).to_owned(),
            test: test.map_err(Failure::internal)?,
        })
    };
    let conditions: Result<_, Failure> = REMOTE_SERVICE_KEYS.iter().map(of_key).collect();
    Ok(Condition::AnyOf(conditions?))
}

/// `error and http.method=GET`: keys, some with a value. A key that comes twice has its last value.
fn annotation_query(query: &str) -> Vec<(&str, &str)> {
    let mut conditions: Vec<(&str, &str)> = Vec::new();
    for part in query.splitn(MAX_CONDITIONS, " and ") {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (key.trim(), value.trim());
        match conditions.iter_mut().find(|(known, _)| *known == key) {
            Some(known) if part.contains('=') => known.1 = value,
            Some(_) => {}
            None => conditions.push((key, value)),
        }
    }
    conditions.retain(|(key, _)| !key.is_empty());
    conditions
}

fn annotation_condition(key: &str, value: &str) -> Result<Condition, Failure> {
    if !value.is_empty() {
        return tag_condition(key, value);
    }
    let mut any = vec![
        Condition::EventName(key.to_owned()),
        Condition::Attribute {
            scope: None,
            key: key.to_owned(),
            test: AttributeTest::exists(),
        },
    ];
    if key == "error" {
        any.push(Condition::Status(STATUS_ERROR));
    }
    Ok(Condition::AnyOf(any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_query_is_keys_and_values_joined_by_and() {
        for (query, expected) in [
            ("error", &[("error", "")][..]),
            (
                "error and http.method=GET",
                &[("error", ""), ("http.method", "GET")],
            ),
            (" a = b  and c", &[("a", "b"), ("c", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a and a=1 and a and a=2", &[("a", "2")]),
            ("=x and  and a=", &[("a", "")]),
            ("band and sand", &[("band", ""), ("sand", "")]),
        ] {
            assert_eq!(annotation_query(query), expected, "{query}");
        }
    }
}
