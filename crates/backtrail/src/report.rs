//! The crate's own news, to `tracing`: what the exporters suffer, at a bearable rate. The bridge leaves these out, so that they never make spans.

use std::mem;
use std::time::Duration;

use tokio::time::Instant;

/// The target of all messages.
pub(crate) const TARGET: &str = "backtrail";

const INTERVAL: Duration = Duration::from_secs(30);

/// Tells a failure at once, and those that follow within half a minute in one message. One for each thing that may go wrong.
#[derive(Debug, Default)]
pub(crate) struct Report {
    failed: Gathered,
    rejected: Gathered,
    dropped: Gathered,
    dropped_before: u64,
    warned: Gathered,
}

#[derive(Debug, Default)]
struct Gathered {
    last: Option<Instant>,
    untold: u64,
    reason: String,
}

impl Report {
    pub(crate) fn failed(&mut self, spans: u64, reason: &str) {
        if self.failed.is_due(spans, reason) {
            self.failed.tell(tell_failed);
        }
    }

    pub(crate) fn rejected(&mut self, spans: u64, reason: &str) {
        if self.rejected.is_due(spans, reason) {
            self.rejected.tell(tell_rejected);
        }
    }

    /// How many spans were dropped since the beginning.
    pub(crate) fn dropped(&mut self, total: u64) {
        let spans = total.saturating_sub(self.dropped_before);
        self.dropped_before = total;
        if spans > 0 && self.dropped.is_due(spans, "the queue was full, or closed") {
            self.dropped.tell(tell_dropped);
        }
    }

    /// The other side took everything, and has something to say.
    pub(crate) fn warned(&mut self, message: &str) {
        if self.warned.is_due(1, message) {
            self.warned.tell(|_, message| {
                tracing::warn!(target: TARGET, message, "the other side has a warning");
            });
        }
    }

    /// Tells what has gathered: nothing will come any more.
    pub(crate) fn finish(&mut self) {
        self.failed.tell(tell_failed);
        self.rejected.tell(tell_rejected);
        self.dropped.tell(tell_dropped);
    }
}

impl Gathered {
    fn is_due(&mut self, spans: u64, reason: &str) -> bool {
        self.untold += spans;
        reason.clone_into(&mut self.reason);
        self.last.is_none_or(|last| last.elapsed() >= INTERVAL)
    }

    fn tell(&mut self, tell: impl FnOnce(u64, &str)) {
        if self.untold > 0 {
            self.last = Some(Instant::now());
            tell(mem::take(&mut self.untold), &self.reason);
        }
    }
}

fn tell_failed(spans: u64, reason: &str) {
    tracing::warn!(target: TARGET, spans, reason, "spans could not be exported");
}

fn tell_rejected(spans: u64, reason: &str) {
    tracing::warn!(target: TARGET, spans, reason, "the other side refused spans");
}

fn tell_dropped(spans: u64, reason: &str) {
    tracing::warn!(target: TARGET, spans, reason, "spans were dropped");
}
