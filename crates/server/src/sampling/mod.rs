//! Remote sampling: which share of a service's traces its clients should start, as they ask us every minute or so.

mod current;
mod strategy;

pub(crate) use current::CurrentStrategies;
pub(crate) use strategy::{ServiceStrategy, Strategies, Strategy};
