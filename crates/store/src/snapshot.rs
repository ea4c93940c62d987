//! One view of everything that is kept.

use std::sync::Arc;

use model::Scan;

/// What a tenant had at one instant. It does not change: neither a flush nor a compaction nor retention shows in it, and the
/// files that it needs stay until it is dropped.
#[derive(Clone, Default)]
pub struct Snapshot {
    scans: Vec<Arc<dyn Scan>>,
}

impl Snapshot {
    /// A view of these scans, the newest first.
    pub fn new(scans: Vec<Arc<dyn Scan>>) -> Self {
        Self { scans }
    }

    /// The parts, the newest first. A trace may be in several, and a client's repeat of a span too.
    pub fn scans(&self) -> &[Arc<dyn Scan>] {
        &self.scans
    }
}
