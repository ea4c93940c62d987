//! What the ladder searches: uploads of a server, or a folder of a build.

use std::sync::Arc;

use host::FileBytes;
use srcmap::DebugId;

use super::ScriptPath;
use crate::digest::Sha256;
use crate::lookup::ReleaseRef;

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
    /// The distributions under which its release has it; `None` among them is "without one".
    pub dists: Vec<Option<String>>,
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

    /// The files that bear a debug id, of projects that serve the service; newest first.
    fn with_debug_id(&self, service: &str, id: DebugId) -> Result<Vec<ShelfFile>, ShelfError>;

    /// The releases of projects that serve the service and are called `version`, or, where there is none, the newest 50, newest first.
    fn releases(&self, service: &str, version: Option<&str>)
    -> Result<Vec<ReleaseRef>, ShelfError>;

    /// The files of a release that projects that serve the service uploaded, newest upload first.
    fn files(&self, service: &str, release: &ReleaseRef) -> Result<Arc<[ShelfFile]>, ShelfError>;

    /// The bytes of a file.
    fn read(&self, content: Sha256) -> Result<Arc<[u8]>, ShelfError>;

    /// The bytes that `build` makes of a map, kept from the last time where they were; made anew where those are damaged.
    fn cached(
        &self,
        map: Sha256,
        is_damaged: bool,
        build: &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>,
    ) -> Result<FileBytes, ShelfError>;

    /// Tells that a frame was resolved with files that were uploaded together, so that they are not removed as unused.
    fn was_used(&self, bundle: u64);
}

/// A shelf that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// What was uploaded cannot be read.
    #[error("what was uploaded cannot be read: {0}")]
    Unreadable(String),
    /// A file is not what it should be; the shelf as a whole is good.
    #[error("{0}")]
    BadFile(String),
}
