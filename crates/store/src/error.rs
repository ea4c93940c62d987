//! What a store answers when it can't.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use block::BlockError;
use model::ScanError;
use wal::WalError;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the folder.
    #[error("data directory {} is in use by another backtrail process; stop that one, or give this one another --data-dir", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A backup that was not finished.
    #[error("{} is a backup that was not finished: make it again, or use the one before it", path.display())]
    UnfinishedBackup {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing that a store wrote.
    #[error("{} is no data directory: it has no folder named manifest", path.display())]
    NoDataDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A manifest file is not what was written.
    #[error("manifest {} is damaged: {reason}; restore the file from a backup", path.display())]
    DamagedManifest {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },
    /// A manifest of a format that this version does not know.
    #[error(
        "manifest {} has format {found} and this version of backtrail reads format {known}; start the version that wrote it", path.display()
    )]
    UnknownManifest {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u16,
        /// The version that is read.
        known: u16,
    },
    /// Another writer took over: this one must not write any more.
    #[error("a newer backtrail process has taken over the data directory: manifest {} exists already", path.display())]
    Fenced {
        /// The manifest file that the other one wrote.
        path: PathBuf,
    },
    /// The log failed.
    #[error(transparent)]
    Log(#[from] WalError),
    /// A block failed.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A part of a block can't be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A record of the log can't be read, though its checksum is right.
    #[error("record {seq} of the log can't be read: {reason}")]
    UnreadableRecord {
        /// Its number.
        seq: u64,
        /// What is wrong.
        reason: String,
    },
    /// More has arrived than can be taken in. Nothing of this request was kept: it may be repeated.
    #[error("overloaded: {reason}; try again in a second")]
    Overloaded {
        /// Which bound was met.
        reason: String,
    },
    /// The disk is almost full. It goes on by itself when there is room again.
    #[error(
        "the disk is almost full: {free_bytes} bytes are free and {min_free_bytes} are kept free"
    )]
    DiskFull {
        /// What is free.
        free_bytes: u64,
        /// What is kept free.
        min_free_bytes: u64,
    },
    /// The store takes nothing any more until it is opened again.
    #[error("the store has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: Arc<str>,
    },
}

/// An error of the file system on this path.
pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io {
        path: path.clone(),
        source,
    }
}

impl StoreError {
    /// Whether the same request may succeed a little later, without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Overloaded { .. }
                | Self::DiskFull { .. }
                | Self::Log(WalError::Overloaded { .. })
        )
    }
}
