//! What has become of the spans.

/// Counts since the system was initialized. `ended` = `exported` + `rejected` + `failed` + `dropped` + `queued` + `exporting`, but for what happens
/// while the numbers are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Spans that were started and record.
    pub created: u64,
    /// Sampled spans that have ended.
    pub ended: u64,
    /// Spans that the exporter's other side has accepted.
    pub exported: u64,
    /// Spans that it has refused for good, or in part of a batch.
    pub rejected: u64,
    /// Spans whose export was given up: time was over, or trying again made no sense.
    pub failed: u64,
    /// Spans that did not fit into the queue, or ended after the shutdown.
    pub dropped: u64,
    /// Spans that wait.
    pub queued: u64,
    /// Spans that are being sent.
    pub exporting: u64,
}

impl Stats {
    /// Spans that have ended and whose fate is open: queued or exporting.
    pub const fn pending(&self) -> u64 {
        self.queued + self.exporting
    }

    /// Spans that will not be seen: rejected, failed or dropped.
    pub const fn lost(&self) -> u64 {
        self.rejected + self.failed + self.dropped
    }
}
