//! The ladder: which uploaded map serves the frames of one script.
//!
//! Seven steps, tried in order ([`Step`]). The first is certain: a debug id names one build. All others find a bundle by its name and a map by what
//! bundle, map and names say, and then the content has to confirm it: enough of the map's tokens must be the same text in the bundle and in the source,
//! and the frames' positions must be possible in the bundle. Where two candidates are equally good, there is no answer. A frame that stays raw is
//! a nuisance; one that shows a wrong line costs a night.
//!
//! Each step that does not lead to a map leaves a [`Miss`], which says why and what to do.

mod candidates;
mod evidence;
mod mask;
mod miss;
mod path;
mod search;
mod shelf;

use std::sync::Arc;

use srcmap::DebugId;

use crate::digest::Sha256;
use crate::lookup::ReleaseRef;

use evidence::Evidence;
pub use evidence::Position;
pub use mask::has_hash;
pub use miss::{Contradiction, Miss, Step};
pub use path::ScriptPath;
use search::Search;
pub use shelf::{Pair, Shelf, ShelfError, ShelfFile, ShelfKind};

/// Who threw the exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin<'a> {
    /// `service.name`.
    pub service: &'a str,
    /// `service.version`.
    pub version: Option<&'a str>,
    /// The distribution: one release may be built in several ways.
    pub dist: Option<&'a str>,
}

/// A script that a stack trace names.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// As it is written there.
    pub url: &'a str,
    /// What the exception says of it.
    pub debug_id: Option<DebugId>,
    /// The places of its frames.
    pub positions: &'a [Position],
    /// Whether the engine points at the first character of a word, as V8 does.
    pub starts_words: bool,
}

/// Which map serves a script, and how it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Map and bundle.
    pub pair: Pair,
    /// Whether the map is in the bundle, as a `data:` URL.
    pub is_inline: bool,
    /// The step that found the map.
    pub step: Step,
    /// The step that found the bundle; none where a debug id found both.
    pub bundle_step: Option<Step>,
    /// The release that holds them; none where a debug id found them.
    pub release: Option<ReleaseRef>,
    /// The uploads that hold them, as [`ShelfFile::bundle`] numbers them.
    pub uploads: Vec<u64>,
    /// The bundle as it was uploaded.
    pub bundle_url: Option<String>,
    /// The map as it was uploaded.
    pub map_url: Option<String>,
}

/// What the ladder says of one script.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The map, if there is one.
    pub found: Option<Found>,
    /// What did not lead to it, in the order of the steps.
    pub misses: Vec<Miss>,
}

/// Searches a shelf. Keeps what it read of bundles and maps for the next time.
#[derive(Default)]
pub struct Ladder {
    evidence: Evidence,
}

impl std::fmt::Debug for Ladder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ladder").finish_non_exhaustive()
    }
}

impl Ladder {
    /// Finds the map of a script. An error is one of the shelf as a whole; a file that cannot be read is a [`Miss`].
    pub fn find(
        &self,
        shelf: &dyn Shelf,
        origin: Origin<'_>,
        script: Script<'_>,
    ) -> Result<Verdict, ShelfError> {
        Search::new(&self.evidence, shelf, origin, script).run()
    }

    /// Whether a block ends in the bundle between the column (from 0) where a map has a mapping and a position behind it: then the position is not in what the
    /// mapping is about. Maps without columns do not say where the code of a module ends and the bundler's begins.
    pub(crate) fn leaves_block(
        &self,
        shelf: &dyn Shelf,
        minified: Option<Sha256>,
        mapping_column: u32,
        position: Position,
    ) -> bool {
        let bundle = minified.and_then(|id| self.evidence.bundle(shelf, id).ok());
        bundle.is_some_and(|bundle| bundle.leaves_block(mapping_column, position))
    }

    /// The bytes of a map that was found.
    pub fn read_map(&self, shelf: &dyn Shelf, found: &Found) -> Result<Arc<[u8]>, ShelfError> {
        self.evidence.read_map(shelf, found)
    }
}
