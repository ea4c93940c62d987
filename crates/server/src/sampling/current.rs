//! The strategies in force, which may be replaced while clients ask for them.

use std::sync::{Arc, PoisonError, RwLock};

use super::{ServiceStrategy, Strategies};

/// The strategies in force. Cheap to clone; all clones change together.
#[derive(Clone)]
pub(crate) struct CurrentStrategies(Arc<RwLock<Arc<Strategies>>>);

impl CurrentStrategies {
    pub(crate) fn new(strategies: Strategies) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(strategies))))
    }

    /// What clients of a service are told.
    pub(crate) fn of(&self, service: &str) -> ServiceStrategy {
        let strategies = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        strategies.of(service)
    }

    /// Puts others in force. Whether they differ from those before.
    pub(crate) fn replace(&self, strategies: Strategies) -> bool {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let differ = **current != strategies;
        *current = Arc::new(strategies);
        differ
    }
}
