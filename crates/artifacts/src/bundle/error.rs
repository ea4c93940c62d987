//! Why a bundle is refused: a sentence for whoever uploaded it.

use std::io;

use thiserror::Error;

/// What is wrong with a bundle. Paths are cut to 200 characters.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each variant is its message")]
pub enum BundleError {
    #[error("the bundle has the version {found}; this server reads version {supported}")]
    UnknownVersion { found: u32, supported: u32 },
    #[error("the bundle is no zip archive: it has no end of a central directory")]
    NoArchive,
    #[error("the bundle's zip archive is split over several files")]
    Split,
    #[error("the bundle's zip archive contradicts itself: {0}")]
    Contradiction(&'static str),
    #[error("the bundle's entry {path:?} contradicts itself: {what}")]
    EntryContradiction { path: String, what: &'static str },
    #[error("the bundle has {found} entries; {limit} are the limit")]
    TooManyEntries { found: u64, limit: u64 },
    #[error("the bundle has an entry whose name {rule}: {name:?}")]
    BadName { name: String, rule: &'static str },
    #[error("the bundle has two entries named {path:?}")]
    DuplicateEntry { path: String },
    #[error("the bundle's entries {first:?} and {second:?} share bytes")]
    Overlap { first: String, second: String },
    #[error("the bundle's entry {path:?} is a symbolic link")]
    Symlink { path: String },
    #[error("the bundle's entry {path:?} is encrypted")]
    Encrypted { path: String },
    #[error(
        "the bundle's entry {path:?} has the compression {method}; only stored (0) and deflated (8) entries are read"
    )]
    Compression { path: String, method: u16 },
    #[error("the bundle's entry {path:?} cannot be inflated: its compressed bytes are damaged")]
    Deflate { path: String },
    #[error(
        "the bundle's entry {path:?} has {found} bytes and not {declared} as its directory says"
    )]
    Length {
        path: String,
        declared: u64,
        found: String,
    },
    #[error("the bundle's entry {path:?} has another checksum than its directory says")]
    Crc { path: String },
    #[error("the bundle's entry {path:?} inflates to more than {limit} times its compressed size")]
    Ratio { path: String, limit: u64 },
    #[error("the bundle's file {path:?} has more than {limit} bytes, the limit")]
    FileTooLarge { path: String, limit: u64 },
    #[error("the bundle's files have more than {limit} bytes together, the limit")]
    InflatedTooLarge { limit: u64 },
    #[error("the bundle has no manifest.json")]
    NoManifest,
    #[error("the bundle's manifest.json has more than {limit} bytes, the limit")]
    ManifestTooLarge { limit: u64 },
    #[error("the bundle's manifest.json is not UTF-8: byte {offset} is wrong")]
    ManifestNotUtf8 { offset: usize },
    #[error("the bundle's manifest.json cannot be read: {0}")]
    Manifest(String),
    #[error("the bundle's manifest.json names {path:?}, which is not in the bundle")]
    MissingFile { path: String },
    #[error("the bundle cannot be read: {0}")]
    Read(io::Error),
}

impl BundleError {
    /// Whether the bundle is not to blame.
    pub fn is_servers(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    pub(super) fn missing_file(path: &str) -> Self {
        Self::MissingFile { path: cut(path) }
    }
}

/// A text of the client's for a message.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
