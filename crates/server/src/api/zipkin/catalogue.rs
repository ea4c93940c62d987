//! Names of services and spans, and what a form proposes.

use axum::extract::State;
use http::Uri;
use query::{Condition, Vocabulary};

use super::names::{any_of, services as services_meant};
use super::search::REMOTE_SERVICE_KEYS;
use super::{Answer, DEFAULT_LOOKBACK_NANO};
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::{Api, Json, READ_TIMEOUT, SEARCH_TIMEOUT, truncated_header};

/// Values of one key that are proposed.
const MAX_VALUES: usize = 1000;
/// Keys that are proposed.
const MAX_KEYS: usize = 200;

pub(super) async fn services(State(api): State<Api>) -> Answer {
    let answer = api.ask_for_json(READ_TIMEOUT, |question| {
        let mut names = query::services(question.snapshot)?;
        // A span without a service has none here.
        names.retain(|name| !name.is_empty());
        Ok(names)
    });
    Ok((truncated_header(false), answer.await?))
}

pub(super) async fn span_names(State(api): State<Api>, uri: Uri) -> Answer {
    let service = required(&Parameters::of(&uri)?, "serviceName")?;
    let answer = api.ask_for_json(READ_TIMEOUT, move |question| {
        let mut names = Vec::new();
        for service in services_meant(question.snapshot, &service)? {
            let operations = query::operations(question.snapshot, Some(&service))?;
            names.extend(operations.into_iter().map(|operation| operation.name));
        }
        names.sort();
        names.dedup();
        names.retain(|name| !name.is_empty());
        Ok(names)
    });
    Ok((truncated_header(false), answer.await?))
}

pub(super) async fn remote_services(State(api): State<Api>, uri: Uri) -> Answer {
    let service = required(&Parameters::of(&uri)?, "serviceName")?;
    let since = before_now(&api);
    let answer = api.ask(SEARCH_TIMEOUT, move |question| {
        let services = services_meant(question.snapshot, &service)?;
        let conditions = [any_of(services, Condition::Service)];
        let found = query::attribute_values(
            question.snapshot,
            &REMOTE_SERVICE_KEYS,
            &conditions,
            since..=u64::MAX,
            MAX_VALUES,
            &question.budget,
        )?;
        write(&found)
    });
    Ok(answer.await?)
}

pub(super) async fn autocomplete_keys(State(api): State<Api>) -> Answer {
    let answer = api.ask(SEARCH_TIMEOUT, |question| {
        let found = query::attribute_keys(question.snapshot, MAX_KEYS, &question.budget)?;
        write(&found)
    });
    Ok(answer.await?)
}

pub(super) async fn autocomplete_values(State(api): State<Api>, uri: Uri) -> Answer {
    let key = required(&Parameters::of(&uri)?, "key")?;
    let since = before_now(&api);
    let answer = api.ask(SEARCH_TIMEOUT, move |question| {
        let found = query::attribute_values(
            question.snapshot,
            &[&key],
            &[],
            since..=u64::MAX,
            MAX_VALUES,
            &question.budget,
        )?;
        write(&found)
    });
    Ok(answer.await?)
}

/// What is proposed is of the last day, which is Zipkin's range of time too unless one is given.
fn before_now(api: &Api) -> u64 {
    let now = api.clock.now_unix_nano();
    now.saturating_sub(DEFAULT_LOOKBACK_NANO)
}

fn write(found: &Vocabulary) -> Result<(http::HeaderMap, Json), Failure> {
    let header = truncated_header(found.truncated);
    Ok((header, Json::write(&found.names)?))
}

fn required(parameters: &Parameters, name: &str) -> Result<String, Failure> {
    let value = parameters.get(name);
    let missing = || Failure::Invalid(format!("parameter {name} is missing"));
    value.map(str::to_owned).ok_or_else(missing)
}
