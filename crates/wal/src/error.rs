//! What the log answers when it cannot.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::frame::FORMAT_VERSION;

/// Why the log did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The file system's error.
        source: io::Error,
    },

    /// Bytes that had been durable are not what was written.
    #[error(
        "log segment {} is damaged at offset {offset}, where record {seq} belongs: {reason}; \
         restore the file from a backup, or move the log folder away and lose what it holds",
        path.display()
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where the first bad byte's record or header begins.
        offset: u64,
        /// The record that should be there.
        seq: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// Another version of this program wrote the file.
    #[error(
        "{} holds {what} {found} at offset {offset}, and this build reads log format \
         {FORMAT_VERSION}: start the version that wrote it, let it flush, then upgrade again",
        path.display()
    )]
    UnknownFormat {
        /// The segment.
        path: PathBuf,
        /// Where it is.
        offset: u64,
        /// What is unknown: a version, a record's kind, a codec.
        what: &'static str,
        /// Its number.
        found: u16,
    },

    /// Records that shall be replayed are in no segment any more.
    #[error("record {wanted} shall be replayed, but the log in {} begins after record {gone}", dir.display())]
    Missing {
        /// The log's folder.
        dir: PathBuf,
        /// The first record that was asked for.
        wanted: u64,
        /// The last record before the first segment.
        gone: u64,
    },

    /// A writer with a newer epoch has written here.
    #[error("log segment {} is of epoch {found}, newer than this writer's epoch {ours}", path.display())]
    StaleEpoch {
        /// The segment.
        path: PathBuf,
        /// Its epoch.
        found: u64,
        /// The epoch that the log was opened with.
        ours: u64,
    },

    /// The payload is too long for a record.
    #[error("a payload of {bytes} bytes is over the log's limit of {limit}")]
    PayloadTooLarge {
        /// Its length.
        bytes: usize,
        /// [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
        limit: usize,
    },

    /// The tenant's name is too long for a record.
    #[error("a tenant name of {bytes} bytes is over the log's limit of {limit}")]
    TenantTooLong {
        /// Its length.
        bytes: usize,
        /// [`MAX_TENANT_BYTES`](crate::MAX_TENANT_BYTES).
        limit: usize,
    },

    /// Too much waits for the disk already. Try again in a moment.
    #[error("{pending_bytes} bytes wait for the log's disk, of at most {limit}")]
    Overloaded {
        /// What waits.
        pending_bytes: usize,
        /// [`WalOptions::max_pending_bytes`](crate::WalOptions::max_pending_bytes).
        limit: usize,
    },

    /// There is no room for a new segment. The log works again once there is.
    #[error("no room for a new log segment: {reason}")]
    DiskFull {
        /// The file system's error and the file.
        reason: Arc<str>,
    },

    /// A write or a sync failed, so the log takes nothing more until it is opened again. What
    /// waited may or may not be in it.
    #[error("the log has stopped until a restart: {reason}")]
    Stopped {
        /// The first failure.
        reason: Arc<str>,
    },
}

impl WalError {
    /// For `map_err`: names what was tried, and on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ))
    }
}
