//! What can go wrong with a block.

use std::io;
use std::path::PathBuf;

/// Why a block could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error("{}: damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What shows it.
        reason: String,
    },
    /// A format that this version does not know.
    #[error(
        "{}: block format {found} is not known to this version of backtrail (it reads format {known}); \
         start the version that wrote it, or move the block away", path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u16,
        /// The version that is read.
        known: u16,
    },
    /// The Parquet library failed.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
    /// Bytes of an attribute or envelope could not be read.
    #[error("{}: unreadable attribute: {source}", path.display())]
    Wire {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: model::WireError,
    },
}
