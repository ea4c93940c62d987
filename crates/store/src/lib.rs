//! Keeps spans: memtable, manifest, flush, retention, snapshot.

mod memory_scan;
mod snapshot;

pub use memory_scan::MemoryScan;
pub use snapshot::Snapshot;
