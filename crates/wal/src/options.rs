//! Settings and figures of the log.

use std::sync::Arc;
use std::time::Duration;

/// When an append is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After `fdatasync`: it survives a power cut.
    #[default]
    Sync,
    /// After the write: it survives the end of the process, however it ends, but not a power cut.
    Os,
}

/// Called after each sync of a group: how long the sync took, how many records and how many bytes
/// it made durable. It runs on the thread that commits, so it should be quick.
pub type OnSync = Arc<dyn Fn(Duration, usize, usize) + Send + Sync>;

/// How the log works. Nothing here is written into files: each start may choose anew.
#[derive(Clone)]
pub struct WalOptions {
    /// Size of a segment, reserved on the disk when it is created. A record that is longer gets a
    /// segment of its own size.
    pub segment_bytes: u64,
    /// When an append is acknowledged.
    pub durability: Durability,
    /// How much one write and sync takes along at most (always one record at least).
    pub max_group_bytes: usize,
    /// How much may wait for the disk before appends are refused as
    /// [`Overloaded`](crate::WalError::Overloaded). A record that is longer is taken when nothing waits.
    pub max_pending_bytes: usize,
    /// New records get no number below this one, even when the log ends before it. For the store: the first
    /// record that its manifest does not know, so that no number is used twice after a log was
    /// lost (a power cut under [`Durability::Os`], a folder that was moved away).
    pub min_next_seq: u64,
    /// Told about each sync.
    pub on_sync: Option<OnSync>,
}

impl Default for WalOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 128 << 20,
            durability: Durability::Sync,
            max_group_bytes: 4 << 20,
            max_pending_bytes: 64 << 20,
            min_next_seq: 1,
            on_sync: None,
        }
    }
}

impl std::fmt::Debug for WalOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WalOptions")
            .field("segment_bytes", &self.segment_bytes)
            .field("durability", &self.durability)
            .field("max_group_bytes", &self.max_group_bytes)
            .field("max_pending_bytes", &self.max_pending_bytes)
            .field("min_next_seq", &self.min_next_seq)
            .finish_non_exhaustive()
    }
}

/// The log at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalStats {
    /// Segments on the disk.
    pub segments: usize,
    /// Bytes in them, headers included, reserved room not.
    pub bytes: u64,
    /// The number of the first record that is there; the next one's when there is none.
    pub first_seq: u64,
    /// The number that the next record gets.
    pub next_seq: u64,
    /// Bytes that wait for the disk.
    pub pending_bytes: usize,
    /// Records that wait for the disk.
    pub pending_records: usize,
    /// Syncs of groups since the log was opened.
    pub syncs: u64,
    /// Bytes that those syncs made durable.
    pub synced_bytes: u64,
    /// Records that were acknowledged since the log was opened.
    pub appended_records: u64,
    /// Whether the log has stopped; [`Wal::stopped`](crate::Wal::stopped) says why.
    pub failed: bool,
}
