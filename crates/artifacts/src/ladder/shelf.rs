//! What the ladder searches: uploads of a server, or a folder of a build.

use std::fmt;
use std::sync::Arc;

use srcmap::DebugId;

use super::ScriptPath;
use crate::digest::Sha256;

/// A release that may hold the file of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReleaseRef {
    /// The organisation's slug.
    pub organization: String,
    /// What the upload called it, to be compared with `service.version`.
    pub version: String,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShelfKind {
    /// What runs.
    Minified,
    /// A source map.
    Map,
    /// Anything else, such as a source that is also in the map.
    Other,
}

/// A file of a release, or of a bundle without one.
#[derive(Debug, Clone)]
pub struct ShelfFile {
    /// Its name as it was uploaded: `~/static/main.js`.
    pub url: String,
    /// The same, to be compared.
    pub path: ScriptPath,
    /// What it is.
    pub kind: ShelfKind,
    /// The distribution that its upload named.
    pub dist: Option<String>,
    /// From the manifest, or the file itself.
    pub debug_id: Option<DebugId>,
    /// The map that the upload's headers name.
    pub map_reference: Option<String>,
    /// Of a map: its field `file`.
    pub map_file: Option<String>,
    /// Its bytes.
    pub content: Sha256,
    /// Length of the bytes.
    pub len_bytes: u64,
    /// Equal for files that were uploaded together.
    pub bundle: u64,
}

/// A map and, where it was uploaded too, what it is a map of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The map.
    pub map: Sha256,
    /// The minified file.
    pub minified: Option<Sha256>,
}

/// What the ladder searches. Calls block.
pub trait Shelf: Send + Sync {
    /// Rises with everything that may change an answer.
    fn generation(&self) -> u64;

    /// The maps of a debug id, of projects that serve the service; newest first, each map once.
    fn with_debug_id(&self, service: &str, id: DebugId) -> Result<Vec<Pair>, ShelfError>;

    /// The releases that may serve the service, newest first, at most 50 of each project; and, besides, the one that is called `version`, however old it is.
    fn releases(&self, service: &str, version: Option<&str>) -> Result<Vec<ReleaseRef>, ShelfError>;

    /// The files of a release that projects that serve the service uploaded, newest upload first.
    fn files(&self, service: &str, release: &ReleaseRef) -> Result<Arc<[ShelfFile]>, ShelfError>;

    /// The bytes of a file.
    fn read(&self, content: Sha256) -> Result<Arc<[u8]>, ShelfError>;

    /// The bytes that `build` makes for `pair`, kept from the last time where they were. What was kept and is damaged is built anew by a call with `is_damaged`.
    fn cached(
        &self,
        pair: Pair,
        is_damaged: bool,
        build: &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>,
    ) -> Result<CacheBytes, ShelfError>;

    /// Tells that a frame was resolved with a pair, so that it is not removed as unused.
    fn was_used(&self, pair: Pair);
}

/// Bytes that are shared, mapped or owned.
#[derive(Clone)]
pub struct CacheBytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl CacheBytes {
    /// Shares `bytes`.
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }
}

impl AsRef<[u8]> for CacheBytes {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for CacheBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheBytes({} bytes)", self.as_ref().len())
    }
}

/// A shelf that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// What was uploaded cannot be read.
    #[error("what was uploaded cannot be read: {0}")]
    Unreadable(String),
    /// A map cannot be used; uploading it again does not help.
    #[error("{0}")]
    BadMap(String),
}
