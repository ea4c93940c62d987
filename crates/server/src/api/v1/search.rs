//! `/search`.

use axum::extract::State;
use http::Uri;
use model::{AttributeScope, TraceId};
use query::{AttributeTest, Condition, Operand, Operator, SearchQuery, TraceSummary};
use serde::Serialize;

use super::{Answer, Hex, UnixNano};
use crate::api::failure::Failure;
use crate::api::names::{all_kinds, all_statuses, kind_number, status_number};
use crate::api::parameters::Parameters;
use crate::api::{Api, SEARCH_TIMEOUT};

const PARAMETERS: [&str; 11] = [
    "service",
    "name",
    "kind",
    "status",
    "min_duration",
    "max_duration",
    "attr",
    "start",
    "end",
    "limit",
    "cursor",
];
const MAX_LIMIT: usize = 1000;

pub(super) async fn search(State(api): State<Api>, uri: Uri) -> Answer {
    let query = parse(&Parameters::of(&uri)?, &[])?;
    let answer = api.ask_for_json(SEARCH_TIMEOUT, move |question| {
        let page = query::search(question.snapshot, &query, &question.budget)?;
        Ok(Body {
            traces: page.traces.into_iter().map(Summary::from).collect(),
            next_cursor: page.next.map(|cursor| cursor.to_string()),
            truncated: page.truncated,
        })
    });
    Ok(answer.await?)
}

#[derive(Serialize)]
struct Body {
    traces: Vec<Summary>,
    next_cursor: Option<String>,
    truncated: bool,
}

#[derive(Serialize)]
struct Summary {
    trace_id: Hex<TraceId>,
    root_service: String,
    root_name: String,
    start_unix_nano: UnixNano,
    duration_nano: u64,
    span_count: u64,
    error_count: u64,
    matched_spans: u64,
    incomplete: bool,
    truncated: bool,
    services: Vec<Service>,
}

#[derive(Serialize)]
struct Service {
    name: String,
    spans: u64,
    errors: u64,
}

impl From<TraceSummary> for Summary {
    fn from(trace: TraceSummary) -> Self {
        let services = trace.services.into_iter().map(|service| Service {
            name: service.name,
            spans: service.spans,
            errors: service.errors,
        });
        Self {
            trace_id: Hex(trace.trace_id),
            root_service: trace.root_service,
            root_name: trace.root_name,
            start_unix_nano: UnixNano(trace.start_unix_nano),
            duration_nano: trace.duration_nano,
            span_count: trace.span_count,
            error_count: trace.error_count,
            matched_spans: trace.matched_spans,
            incomplete: trace.orphan_count > 0,
            truncated: trace.truncated,
            services: services.collect(),
        }
    }
}

/// Reads a search. `others` are parameters that are read elsewhere.
pub(super) fn parse(parameters: &Parameters, others: &[&str]) -> Result<SearchQuery, Failure> {
    parameters.refuse_others(&[&PARAMETERS, others].concat())?;
    parameters.refuse_repeats(&["attr"])?;
    let mut conditions = Vec::new();
    conditions.extend(
        parameters
            .get("service")
            .map(|name| Condition::Service(name.to_owned())),
    );
    conditions.extend(
        parameters
            .get("name")
            .map(|name| Condition::Name(name.to_owned())),
    );
    let kind = parameters.parse("kind", &format!("one of {}", all_kinds()), kind_number)?;
    conditions.extend(kind.map(Condition::Kind));
    let statuses = format!("one of {}", all_statuses());
    let status = parameters.parse("status", &statuses, status_number)?;
    conditions.extend(status.map(Condition::Status));
    conditions.extend(parse_duration(parameters)?);
    for condition in parameters.all("attr") {
        conditions.push(parse_attribute(condition)?);
    }

    let start = parameters.unix_nano("start")?.unwrap_or(0);
    let end = parameters.unix_nano("end")?.unwrap_or(u64::MAX);
    if start > end {
        return Err(Failure::Invalid(format!(
            "parameter start: {start} is after end {end}"
        )));
    }
    let expected = format!("an integer from 1 to {MAX_LIMIT}");
    let limit = parameters.parse("limit", &expected, |text| {
        text.parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
    })?;
    let cursor = parameters.parse("cursor", "a cursor that this search gave", |text| {
        text.parse().ok()
    })?;
    let default = SearchQuery::default();
    Ok(SearchQuery {
        conditions,
        starts_unix_nano: start..=end,
        limit: limit.unwrap_or(default.limit),
        cursor,
    })
}

fn parse_duration(parameters: &Parameters) -> Result<Option<Condition>, Failure> {
    let min = parameters.duration_nano("min_duration")?;
    let max = parameters.duration_nano("max_duration")?;
    if min.is_none() && max.is_none() {
        return Ok(None);
    }
    let range = min.unwrap_or(0)..=max.unwrap_or(u64::MAX);
    if range.is_empty() {
        let [min, max] =
            ["min_duration", "max_duration"].map(|name| parameters.get(name).unwrap_or_default());
        let message = format!("parameter min_duration: {min} is longer than max_duration {max}");
        return Err(Failure::Invalid(message));
    }
    Ok(Some(Condition::DurationNano(range)))
}

/// Two characters before one, so that `<=` is not `<` and a value that begins with `=`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

const SCOPES: [(&str, AttributeScope); 4] = [
    ("span.", AttributeScope::Span),
    ("resource.", AttributeScope::Resource),
    ("event.", AttributeScope::Event),
    ("scope.", AttributeScope::Instrumentation),
];

/// Reads `event.exception.type=TypeError`, `http.response.status_code>=500`, `note="quoted"`.
fn parse_attribute(text: &str) -> Result<Condition, Failure> {
    let invalid = |problem: String| Failure::Invalid(format!("parameter attr: {text:?} {problem}"));
    let split = text.char_indices().find_map(|(at, _)| {
        let rest = &text[at..];
        let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        Some((&text[..at], *operator, &rest[sign.len()..]))
    });
    let Some((name, operator, value)) = split else {
        return Err(invalid("has no operator: =, !=, <, <=, > or >=".to_owned()));
    };
    let scoped = SCOPES.iter().find_map(|(prefix, scope)| {
        let key = name.strip_prefix(prefix)?;
        Some((Some(*scope), key))
    });
    let (scope, key) = scoped.unwrap_or((None, name));
    if key.is_empty() {
        return Err(invalid("names no attribute".to_owned()));
    }
    let operand = match value.strip_prefix('"') {
        None => Operand::Written(value.to_owned()),
        Some(rest) => unquote(rest).map(Operand::Quoted).ok_or_else(|| {
            let rule = r#"write \" for a quote inside of quotes, and \\ for a backslash"#;
            invalid(format!("has quotes that do not match; {rule}"))
        })?,
    };
    let test = AttributeTest::new(operator, operand)
        .map_err(|error| invalid(format!("can't be compared: {error}")))?;
    Ok(Condition::Attribute {
        scope,
        key: key.to_owned(),
        test,
    })
}

/// What stands between quotes; `rest` begins behind the first. `\"` is a quote and `\\` a backslash; a backslash before anything else is
/// itself.
fn unquote(rest: &str) -> Option<String> {
    let mut value = String::with_capacity(rest.len());
    let mut characters = rest.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => return characters.next().is_none().then_some(value),
            '\\' => {
                let escaped = characters.next_if(|next| matches!(next, '"' | '\\'));
                value.push(escaped.unwrap_or('\\'));
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(
        scope: Option<AttributeScope>,
        key: &str,
        operator: Operator,
        operand: Operand,
    ) -> Condition {
        Condition::Attribute {
            scope,
            key: key.to_owned(),
            test: AttributeTest::new(operator, operand).unwrap(),
        }
    }

    #[test]
    fn attribute_conditions_have_a_scope_an_operator_and_a_value() {
        let written = |text: &str| Operand::Written(text.to_owned());
        for (text, expected) in [
            (
                "http.response.status_code>=500",
                attribute(
                    None,
                    "http.response.status_code",
                    Operator::GreaterOrEqual,
                    written("500"),
                ),
            ),
            (
                "span.db.system=sqlite",
                attribute(
                    Some(AttributeScope::Span),
                    "db.system",
                    Operator::Equal,
                    written("sqlite"),
                ),
            ),
            (
                "event.exception.type!=TypeError",
                attribute(
                    Some(AttributeScope::Event),
                    "exception.type",
                    Operator::NotEqual,
                    written("TypeError"),
                ),
            ),
            (
                "scope.name=\"a=b\"",
                attribute(
                    Some(AttributeScope::Instrumentation),
                    "name",
                    Operator::Equal,
                    Operand::Quoted("a=b".to_owned()),
                ),
            ),
            (
                r#"note="a \"b\" \\ \d""#,
                attribute(
                    None,
                    "note",
                    Operator::Equal,
                    Operand::Quoted(r#"a "b" \ \d"#.to_owned()),
                ),
            ),
            (
                r#"note=a "b" \"#,
                attribute(None, "note", Operator::Equal, written(r#"a "b" \"#)),
            ),
            (
                "url=http://x/?a=1",
                attribute(None, "url", Operator::Equal, written("http://x/?a=1")),
            ),
            ("é<1", attribute(None, "é", Operator::Less, written("1"))),
            (
                "empty=",
                attribute(None, "empty", Operator::Equal, written("")),
            ),
        ] {
            assert_eq!(parse_attribute(text), Ok(expected), "{text}");
        }
        for wrong in [
            "",
            "key",
            "=1",
            "span.=1",
            "a<b",
            "a>\"1\"",
            "a=\"",
            "a=\"b",
            "a=\"b\"c",
            "a=\"b\\\"",
        ] {
            assert!(
                matches!(parse_attribute(wrong), Err(Failure::Invalid(_))),
                "{wrong}"
            );
        }
    }
}
