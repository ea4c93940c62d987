//! The crate's own news, to `tracing`: what the exporters suffer, at a bearable rate. The bridge leaves these out, so that they never make spans.

use std::time::Duration;

use tokio::time::Instant;

/// The target of all messages.
pub(crate) const TARGET: &str = "backtrail";

const INTERVAL: Duration = Duration::from_secs(30);

/// Tells a failure at once, and those that follow within half a minute in one message.
#[derive(Debug, Default)]
pub(crate) struct Report {
    last: Option<Instant>,
    untold: u64,
}

impl Report {
    pub(crate) fn failed(&mut self, spans: u64, reason: &str) {
        if let Some(spans) = self.due(spans) {
            tracing::warn!(target: TARGET, spans, reason, "spans could not be exported");
        }
    }

    pub(crate) fn rejected(&mut self, spans: u64, reason: &str) {
        if let Some(spans) = self.due(spans) {
            tracing::warn!(target: TARGET, spans, reason, "the other side refused spans");
        }
    }

    fn due(&mut self, spans: u64) -> Option<u64> {
        self.untold += spans;
        if self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.untold))
    }
}
