//! Counters and histograms of this process, for `/metrics`.

/// All of them.
pub(crate) struct Metrics {}
