//! Figures of a store.

use std::sync::Arc;

/// A store at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Spans that are in memory and not yet in a block.
    pub memtable_spans: u64,
    /// Bytes that they take.
    pub memtable_bytes: u64,
    /// Bytes of the log's segments on the disk.
    pub log_bytes: u64,
    /// Bytes that wait for the log.
    pub log_pending_bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Spans in blocks.
    pub block_spans: u64,
    /// Bytes of all files of blocks.
    pub block_bytes: u64,
    /// Memtables that wait to be written as blocks.
    pub flush_pending: u64,
    /// Windows whose blocks wait to be merged.
    pub compaction_pending: u64,
    /// Flushes that were committed since the start.
    pub flushes: u64,
    /// Merges that were committed since the start.
    pub compactions: u64,
    /// Blocks that retention removed since the start.
    pub expired_blocks: u64,
    /// Byte-identical repeats of spans, and of exceptions from log records, that flush and merge left out since the start.
    pub repeats: u64,
    /// Spans that were deleted since the start.
    pub deleted_spans: u64,
    /// Deletions of which something is left in files: hidden, but not gone yet.
    pub deletions_pending: u64,
    /// Why nothing is taken any more, when that is so.
    pub stopped: Option<Arc<str>>,
}
