//! How a store works. Nothing here is written into files: each start may choose anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Signal, SpanBatch, WireError};
use wal::{Durability, OnSync};

/// Reads a payload of the log that was admitted before as this signal.
pub type ReadPayload = Arc<dyn Fn(Signal, &[u8]) -> Result<SpanBatch, WireError> + Send + Sync>;

/// How much is kept, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Spans go when they arrived longer ago than this. Their own times do not count: what was uploaded today stays, however old it is.
    /// `None` is for ever.
    pub max_age: Option<Duration>,
    /// The oldest blocks go while all blocks together are larger than this.
    pub max_bytes: Option<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_hours(14 * 24)),
            max_bytes: None,
        }
    }
}

/// Settings of a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// The folder that holds everything. It is created where it is missing; one process at a time.
    pub data_dir: PathBuf,
    /// When an append is acknowledged.
    pub durability: Durability,
    /// Size of a segment of the log.
    pub segment_bytes: u64,
    /// What may wait for the log before appends are refused.
    pub max_pending_bytes: usize,
    /// The memtable is flushed when it is larger than this.
    pub memtable_bytes: usize,
    /// Appends are refused while memtables together are larger than this.
    pub max_memtable_bytes: usize,
    /// The memtable is flushed when its oldest span arrived longer ago than this.
    pub flush_interval: Duration,
    /// A trace is flushed when nothing of it has arrived for so long: most traces are then whole in one block.
    pub trace_idle: Duration,
    /// A trace is flushed at the latest so long after its first span arrived.
    pub trace_max_age: Duration,
    /// Traces that a flush may leave in memory because they are still active.
    pub max_carried_traces: usize,
    /// Blocks of one window that are merged into one when there are so many.
    pub compact_blocks: usize,
    /// Blocks with more spans than this (and exceptions from log records) are not merged any more.
    pub compact_max_spans: u64,
    /// Deletions are refused while so many wait until files are written without what they took.
    pub max_pending_deletions: usize,
    /// How much is kept, and how long.
    pub retention: Retention,
    /// Appends are refused while less than this is free on the disk.
    pub min_free_bytes: u64,
    /// Told about each sync of the log.
    pub on_sync: Option<OnSync>,
    /// Reads the log's payloads at replay; [`SpanBatch::from_otlp`] and [`SpanBatch::from_otlp_logs`] by default.
    pub read_payload: ReadPayload,
}

impl StoreOptions {
    /// The defaults, for a folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durability: Durability::Sync,
            segment_bytes: 128 << 20,
            max_pending_bytes: 64 << 20,
            memtable_bytes: 256 << 20,
            max_memtable_bytes: 1 << 30,
            flush_interval: Duration::from_mins(1),
            trace_idle: Duration::from_secs(15),
            trace_max_age: Duration::from_mins(10),
            max_carried_traces: 50_000,
            compact_blocks: 8,
            compact_max_spans: 250_000,
            max_pending_deletions: 10_000,
            retention: Retention::default(),
            min_free_bytes: 256 << 20,
            on_sync: None,
            read_payload: Arc::new(|signal, payload| match signal {
                Signal::Traces => SpanBatch::from_otlp(payload),
                Signal::Logs => SpanBatch::from_otlp_logs(payload),
            }),
        }
    }
}

impl std::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}
