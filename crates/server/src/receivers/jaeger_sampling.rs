//! Jaeger's remote sampling over HTTP, as its agent (5778) and its collector (`/api/sampling` on 14268) answer.
//!
//! A client asks with the name of its service and gets a strategy as JSON. `/sampling` names the strategy's type; clients from before
//! Thrift 0.9.3 ask at `/` and are told its number.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use crate::sampling::{CurrentStrategies, ServiceStrategy, Strategy};

/// The routes of the sampling listener.
pub(crate) fn router(strategies: CurrentStrategies) -> Router {
    Router::new()
        .route("/", get(legacy_strategy))
        .route("/sampling", get(strategy))
        // Restrictions on baggage were never more than an experiment of Jaeger's: there are none.
        .route(
            "/baggageRestrictions",
            get(|| async { json_reply(&json!([])) }),
        )
        .fallback(not_found)
        .with_state(strategies.clone())
        .merge(collector_route(strategies))
}

/// The route that Jaeger's collector has for it.
pub(super) fn collector_route(strategies: CurrentStrategies) -> Router {
    Router::new()
        .route("/api/sampling", get(strategy))
        .with_state(strategies)
}

type Parameters = Vec<(String, String)>;

async fn strategy(
    State(strategies): State<CurrentStrategies>,
    Query(query): Query<Parameters>,
) -> Response {
    reply(&strategies, &query, |strategy| match strategy {
        Strategy::Probabilistic(_) => "PROBABILISTIC".into(),
        Strategy::RateLimiting { .. } => "RATE_LIMITING".into(),
    })
}

async fn legacy_strategy(
    State(strategies): State<CurrentStrategies>,
    Query(query): Query<Parameters>,
) -> Response {
    reply(&strategies, &query, |strategy| match strategy {
        Strategy::Probabilistic(_) => 0.into(),
        Strategy::RateLimiting { .. } => 1.into(),
    })
}

fn reply(
    strategies: &CurrentStrategies,
    query: &Parameters,
    strategy_type: impl Fn(Strategy) -> Value,
) -> Response {
    let mut services = query
        .iter()
        .filter(|(name, _)| name == "service")
        .map(|(_, service)| service);
    match (services.next(), services.next()) {
        (Some(service), None) => {
            let of_service = strategies.of(service);
            json_reply(&shape(&of_service, strategy_type(of_service.strategy)))
        }
        (None, _) => bad_request("the parameter service is missing: /sampling?service=NAME"),
        (Some(_), Some(_)) => bad_request("the parameter service is there more than once"),
    }
}

/// `SamplingStrategyResponse` in JSON. Clients look for `operationSampling` first.
fn shape(of_service: &ServiceStrategy, strategy_type: Value) -> Value {
    let mut shape = json!({ "strategyType": strategy_type });
    match of_service.strategy {
        Strategy::Probabilistic(share) => {
            shape["probabilisticSampling"] = json!({ "samplingRate": share });
            if !of_service.operations.is_empty() {
                shape["operationSampling"] = operations(share, &of_service.operations);
            }
        }
        Strategy::RateLimiting { traces_per_second } => {
            shape["rateLimitingSampling"] = json!({ "maxTracesPerSecond": traces_per_second });
        }
    }
    shape
}

fn operations(default_share: f64, operations: &BTreeMap<String, f64>) -> Value {
    let each: Vec<Value> = operations
        .iter()
        .map(|(operation, share)| {
            json!({
                "operation": operation,
                "probabilisticSampling": { "samplingRate": share },
            })
        })
        .collect();
    json!({
        "defaultSamplingProbability": default_share,
        "defaultLowerBoundTracesPerSecond": 0.0,
        "perOperationStrategies": each,
    })
}

fn json_reply(value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, value.to_string()).into_response()
}

fn bad_request(message: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response()
}

async fn not_found(method: Method, uri: Uri) -> Response {
    let message = format!(
        "there is no {method} {} here; sampling strategies are at /sampling?service=NAME\n",
        uri.path()
    );
    (StatusCode::NOT_FOUND, message).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strategy(strategy: Strategy, operations: &[(&str, f64)]) -> ServiceStrategy {
        let operations = operations.iter();
        ServiceStrategy {
            strategy,
            operations: operations
                .map(|(name, share)| ((*name).to_owned(), *share))
                .collect(),
        }
    }

    #[test]
    fn strategies_have_the_shape_that_jaegers_clients_read() {
        let all = strategy(Strategy::Probabilistic(1.0), &[]);
        assert_eq!(
            shape(&all, "PROBABILISTIC".into()),
            json!({
                "strategyType": "PROBABILISTIC",
                "probabilisticSampling": { "samplingRate": 1.0 },
            })
        );
        let five = Strategy::RateLimiting {
            traces_per_second: 5,
        };
        assert_eq!(
            shape(&strategy(five, &[]), 1.into()),
            json!({
                "strategyType": 1,
                "rateLimitingSampling": { "maxTracesPerSecond": 5 },
            })
        );
        let by_operation = strategy(Strategy::Probabilistic(0.5), &[("GET /health", 0.0)]);
        assert_eq!(
            shape(&by_operation, "PROBABILISTIC".into()),
            json!({
                "strategyType": "PROBABILISTIC",
                "probabilisticSampling": { "samplingRate": 0.5 },
                "operationSampling": {
                    "defaultSamplingProbability": 0.5,
                    "defaultLowerBoundTracesPerSecond": 0.0,
                    "perOperationStrategies": [
                        { "operation": "GET /health", "probabilisticSampling": { "samplingRate": 0.0 } },
                    ],
                },
            })
        );
    }
}
