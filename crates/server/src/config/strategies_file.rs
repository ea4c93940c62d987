//! Jaeger's file of sampling strategies: what its collector reads with `--sampling.strategies-file`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::{ConfigError, Origin};
use super::sampling::service_strategy;
use super::value::{SamplingKind, SamplingParam, SettingValue};
use crate::sampling::{ServiceStrategy, Strategies};

/// Fields that we do not know are passed over, as Jaeger does.
#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    default_strategy: Option<Entry>,
    #[serde(default)]
    service_strategies: Option<Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(default)]
    service: String,
    r#type: String,
    param: f64,
    #[serde(default)]
    operation_strategies: Option<Vec<Operation>>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    #[serde(rename = "operation")]
    name: String,
    r#type: String,
    param: f64,
}

/// Reads the text of the file at `path`.
pub(super) fn parse(path: &str, text: &str) -> Result<Strategies, ConfigError> {
    let file: File = serde_json::from_str(text).map_err(|error| {
        let origin = Origin::File {
            path: path.to_owned(),
            line: error.line(),
        };
        ConfigError::at(
            origin,
            format!("is no file of sampling strategies: {error}"),
        )
    })?;
    let fail = |place: String, message: String| ConfigError {
        origin: None,
        message: format!("{path}: {place}: {message}"),
    };
    let mut strategies = Strategies::default();
    if let Some(entry) = &file.default_strategy {
        strategies.default = entry
            .strategy()
            .map_err(|message| fail("default_strategy".to_owned(), message))?;
    }
    for (index, entry) in file.service_strategies.iter().flatten().enumerate() {
        let place = || format!("service_strategies[{index}] ({:?})", entry.service);
        if entry.service.is_empty() {
            return Err(fail(place(), "service is missing".to_owned()));
        }
        let strategy = entry.strategy().map_err(|message| fail(place(), message))?;
        let before = strategies.services.insert(entry.service.clone(), strategy);
        if before.is_some() {
            return Err(fail(
                place(),
                "the service has a strategy already".to_owned(),
            ));
        }
    }
    Ok(strategies)
}

impl Entry {
    fn strategy(&self) -> Result<ServiceStrategy, String> {
        let operations = self.operation_strategies.iter().flatten().map(|operation| {
            match SamplingKind::parse(&operation.r#type) {
                Ok(SamplingKind::Probabilistic) => Ok((operation.name.clone(), SamplingParam(operation.param))),
                _ => Err(format!(
                    "operation {:?}: type {:?} is not \"probabilistic\", the one that operations can have",
                    operation.name, operation.r#type
                )),
            }
        });
        let operations = operations.collect::<Result<BTreeMap<_, _>, _>>()?;
        let kind = SamplingKind::parse(&self.r#type)?;
        service_strategy(kind, SamplingParam(self.param), &operations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Strategy;

    #[test]
    fn a_file_of_jaegers_means_what_it_means_there() {
        let text = r#"{
          "service_strategies": [
            { "service": "shop", "type": "probabilistic", "param": 0.8,
              "operation_strategies": [ { "operation": "pay", "type": "probabilistic", "param": 0.2 } ] },
            { "service": "bank", "type": "ratelimiting", "param": 5 }
          ],
          "default_strategy": { "type": "probabilistic", "param": 0.5,
            "operation_strategies": [ { "operation": "/health", "type": "probabilistic", "param": 0.0 } ] }
        }"#;
        let strategies = parse("strategies.json", text).unwrap();
        assert_eq!(
            strategies.of("other").strategy,
            Strategy::Probabilistic(0.5)
        );
        let shop = strategies.of("shop");
        assert_eq!(shop.strategy, Strategy::Probabilistic(0.8));
        assert_eq!(shop.operations["pay"].to_bits(), 0.2_f64.to_bits());
        assert_eq!(shop.operations["/health"].to_bits(), 0.0_f64.to_bits());
        let five = Strategy::RateLimiting {
            traces_per_second: 5,
        };
        assert_eq!(strategies.of("bank").strategy, five);
        assert_eq!(parse("empty.json", "{}").unwrap(), Strategies::default());
    }

    /// Go writes lists that are empty so.
    #[test]
    fn lists_may_be_null() {
        let text = r#"{
          "service_strategies": null,
          "default_strategy": { "type": "probabilistic", "param": 0.5, "operation_strategies": null }
        }"#;
        let strategies = parse("strategies.json", text).unwrap();
        assert_eq!(strategies.default.strategy, Strategy::Probabilistic(0.5));
        assert!(strategies.services.is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let message = |text: &str| parse("s.json", text).unwrap_err().to_string();
        assert!(
            message("{\n  \"service_strategies\": 1\n}")
                .starts_with("s.json:2: is no file of sampling strategies: ")
        );
        let services =
            |entries: &str| message(&format!(r#"{{"service_strategies": [{entries}]}}"#));
        for (entries, expected) in [
            (
                r#"{"service": "a", "type": "probabilistic", "param": 2}"#,
                r#"s.json: service_strategies[0] ("a"): 2 is not a probability from 0 to 1"#,
            ),
            (
                r#"{"type": "probabilistic", "param": 1}"#,
                r#"s.json: service_strategies[0] (""): service is missing"#,
            ),
            (
                r#"{"service": "a", "type": "adaptive", "param": 1}"#,
                r#"s.json: service_strategies[0] ("a"): "adaptive" is not one of "probabilistic", "ratelimiting""#,
            ),
            (
                r#"{"service": "a", "type": "ratelimiting", "param": 0.5}"#,
                r#"s.json: service_strategies[0] ("a"): 0.5 is not a whole number of traces in a second"#,
            ),
            (
                r#"{"service": "a", "type": "probabilistic", "param": 1, "operation_strategies": [{"operation": "o", "type": "ratelimiting", "param": 1}]}"#,
                r#"s.json: service_strategies[0] ("a"): operation "o": type "ratelimiting" is not "probabilistic", the one that operations can have"#,
            ),
            (
                r#"{"service": "a", "type": "ratelimiting", "param": 1}, {"service": "a", "type": "ratelimiting", "param": 1}"#,
                r#"s.json: service_strategies[1] ("a"): the service has a strategy already"#,
            ),
        ] {
            assert_eq!(services(entries), expected);
        }
    }
}
