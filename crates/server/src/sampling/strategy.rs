//! Strategies by service and operation.

use std::collections::BTreeMap;

/// How many traces a client starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Strategy {
    /// This share of all, from 0 to 1.
    Probabilistic(f64),
    /// At most so many in a second, in each process.
    RateLimiting {
        /// Traces in a second.
        traces_per_second: i32,
    },
}

/// What clients of one service are told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceStrategy {
    /// For operations that are not named.
    pub(crate) strategy: Strategy,
    /// Shares by name of the operation that starts the trace. Clients that are told of operations pay no attention to a rate, so there
    /// are none beside one.
    pub(crate) operations: BTreeMap<String, f64>,
}

/// All strategies.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strategies {
    /// For services that are not named; its operations are also those of named services that sample by probability.
    pub(crate) default: ServiceStrategy,
    /// By name.
    pub(crate) services: BTreeMap<String, ServiceStrategy>,
}

impl Default for Strategies {
    /// All traces of all services.
    fn default() -> Self {
        Self {
            default: ServiceStrategy {
                strategy: Strategy::Probabilistic(1.0),
                operations: BTreeMap::new(),
            },
            services: BTreeMap::new(),
        }
    }
}

impl Strategies {
    /// What clients of a service are told.
    pub(crate) fn of(&self, service: &str) -> ServiceStrategy {
        let Some(own) = self.services.get(service) else {
            return self.default.clone();
        };
        let mut strategy = own.clone();
        if matches!(strategy.strategy, Strategy::Probabilistic(_)) {
            for (operation, share) in &self.default.operations {
                strategy
                    .operations
                    .entry(operation.clone())
                    .or_insert(*share);
            }
        }
        strategy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(strategy: Strategy, operations: &[(&str, f64)]) -> ServiceStrategy {
        let operations = operations.iter();
        ServiceStrategy {
            strategy,
            operations: operations
                .map(|(name, share)| ((*name).to_owned(), *share))
                .collect(),
        }
    }

    #[test]
    fn a_service_has_its_own_strategy_and_the_operations_of_all() {
        let rate = Strategy::RateLimiting {
            traces_per_second: 5,
        };
        let half = Strategy::Probabilistic(0.5);
        let strategies = Strategies {
            default: service(half, &[("health", 0.0), ("pay", 0.1)]),
            services: BTreeMap::from([
                (
                    "shop".to_owned(),
                    service(Strategy::Probabilistic(0.2), &[("pay", 1.0)]),
                ),
                ("bank".to_owned(), service(rate, &[])),
            ]),
        };
        assert_eq!(strategies.of("other"), strategies.default);
        assert_eq!(
            strategies.of("shop"),
            service(
                Strategy::Probabilistic(0.2),
                &[("health", 0.0), ("pay", 1.0)]
            )
        );
        assert_eq!(strategies.of("bank"), service(rate, &[]));
    }
}
