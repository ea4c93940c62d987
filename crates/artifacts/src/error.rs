//! What can go wrong with what was uploaded.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::bundle::BundleError;
use crate::digest::Sha1;

/// Why something was not done. Nothing of it was stored.
#[derive(Debug, Error)]
pub enum Error {
    /// A name, a list or a text of the client breaks a rule.
    #[error("{what} {value:?} {rule}")]
    Invalid {
        /// Of what.
        what: &'static str,
        /// The value, cut.
        value: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// What the request names does not exist.
    #[error("there is no {what} {name:?}")]
    NotFound {
        /// Of which kind.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What came has another checksum than the request says.
    #[error("{what} has the checksum {found}, and not {expected} as the request says")]
    Checksum {
        /// Chunk or bundle.
        what: &'static str,
        /// As the request says.
        expected: Sha1,
        /// Of the bytes that came.
        found: Sha1,
    },
    /// One thing is larger than one thing may be.
    #[error("{what} has more than {limit} bytes, the limit")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },
    /// There is no room for more; what is deleted makes room.
    #[error(
        "{scope} has room for {limit} {what}, which are used up: delete releases that are not needed any more, or raise the limit"
    )]
    Quota {
        /// Whose room: an organisation, or all of the store.
        scope: String,
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The files were written by another version of this program.
    #[error("the artifacts in {} have the format {found}; this program reads format {supported}", path.display())]
    UnknownFormat {
        /// The folder.
        path: PathBuf,
        /// The version that the files name.
        found: u64,
        /// The version that this program writes.
        supported: u64,
    },
    /// Another process has the folder open.
    #[error("the artifacts in {} are in use by another process", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Somebody committed whenever the file was read.
    #[error("{} is written to so often that it cannot be read at one instant: try again when fewer uploads run", path.display())]
    Unstable {
        /// The file.
        path: PathBuf,
    },
    /// A file of the store is not as it was written.
    #[error("the artifacts are damaged: {0}")]
    Damaged(String),
    /// The metadata's file failed.
    #[error("the metadata of the artifacts cannot be used: {0}")]
    Metadata(Box<redb::Error>),
    /// The operating system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Whose turn it is after an [`enum@Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The request is wrong, and will be wrong again.
    Client,
    /// What it names is not there.
    NotFound,
    /// It is larger than is allowed.
    TooLarge,
    /// There is no room until something goes.
    Quota,
    /// The server cannot do it; its log says why.
    Server,
}

impl Error {
    /// Whose turn it is: for the status of an answer.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Invalid { .. } | Self::Checksum { .. } => ErrorClass::Client,
            Self::Bundle(error) if error.is_servers() => ErrorClass::Server,
            Self::Bundle(_) => ErrorClass::Client,
            Self::NotFound { .. } => ErrorClass::NotFound,
            Self::TooLarge { .. } => ErrorClass::TooLarge,
            Self::Quota { .. } => ErrorClass::Quota,
            Self::UnknownFormat { .. }
            | Self::InUse { .. }
            | Self::Unstable { .. }
            | Self::Damaged(_)
            | Self::Metadata(_)
            | Self::Io { .. } => ErrorClass::Server,
        }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn invalid(what: &'static str, value: &str, rule: &'static str) -> Self {
        Self::Invalid {
            what,
            value: value.chars().take(80).collect(),
            rule,
        }
    }

    pub(crate) fn not_found(what: &'static str, name: impl ToString) -> Self {
        Self::NotFound {
            what,
            name: name.to_string().chars().take(300).collect(),
        }
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Error {
            fn from(error: redb::$error) -> Self {
                Self::Metadata(Box::new(error.into()))
            }
        })*
    };
}

from_redb!(
    CommitError,
    DatabaseError,
    StorageError,
    TableError,
    TransactionError
);

/// The result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
