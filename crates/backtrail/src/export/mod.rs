//! The way of a span from its end to a collector.

pub(crate) mod encode;
