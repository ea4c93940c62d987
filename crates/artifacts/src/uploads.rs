//! What was uploaded, as the ladder searches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host::FileBytes;
use quick_cache::sync::Cache;
use srcmap::DebugId;
use srcmap::cache::FORMAT_VERSION;

use crate::bundle::FileKind;
use crate::bundles::{BundleId, StoredFile};
use crate::caches::CacheFailure;
use crate::digest::Sha256;
use crate::error::Error;
use crate::ladder::{ScriptPath, Shelf, ShelfError, ShelfFile, ShelfKind};
use crate::lookup::{Candidate, ReleaseRef};
use crate::store::Artifacts;

/// Releases of the newest that are searched when none bears the service's version.
const NEWEST: usize = 50;
/// Files of one release that are looked at, those that came last.
const MAX_FILES: usize = 20_000;
/// A file that is larger is not read.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Lists of files that are kept.
const LISTS: usize = 200;

/// The uploads of a server as a [`Shelf`]. Keeps lists of files until something changes.
pub struct Uploads {
    artifacts: Artifacts,
    lists: Cache<(String, u64), Arc<[ShelfFile]>>,
    /// The generation that `lists` are of.
    generation: AtomicU64,
}

impl std::fmt::Debug for Uploads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uploads").finish_non_exhaustive()
    }
}

impl Uploads {
    /// The uploads of `artifacts`.
    pub fn new(artifacts: Artifacts) -> Self {
        Self {
            generation: AtomicU64::new(artifacts.generation()),
            artifacts,
            lists: Cache::new(LISTS),
        }
    }

    fn list(&self, service: &str, release: &ReleaseRef) -> Result<Arc<[ShelfFile]>, Error> {
        let serving = self.artifacts.serving(service)?;
        let found = self.artifacts.files_of_release(release.id, &serving, MAX_FILES)?;
        Ok(found.files.into_iter().map(ShelfFile::of_upload).collect())
    }
}

impl Shelf for Uploads {
    fn generation(&self) -> u64 {
        self.artifacts.generation()
    }

    fn with_debug_id(&self, service: &str, id: DebugId) -> Result<Vec<ShelfFile>, ShelfError> {
        let serving = self.artifacts.serving(service)?;
        let found = self.artifacts.files_by_debug_id(id, &serving)?;
        Ok(found.into_iter().map(ShelfFile::of_upload).collect())
    }

    fn releases(&self, service: &str, version: Option<&str>) -> Result<Vec<ReleaseRef>, ShelfError> {
        let serving = self.artifacts.serving(service)?;
        if let Some(version) = version {
            let named = self.artifacts.releases_named(version, &serving)?;
            if !named.is_empty() {
                return Ok(named);
            }
        }
        Ok(self.artifacts.newest_releases(&serving, NEWEST)?)
    }

    fn files(&self, service: &str, release: &ReleaseRef) -> Result<Arc<[ShelfFile]>, ShelfError> {
        let generation = self.artifacts.generation();
        if self.generation.swap(generation, Ordering::AcqRel) != generation {
            self.lists.clear();
        }
        let key = (service.to_owned(), release.id.0);
        Ok(self.lists.get_or_insert_with(&key, || self.list(service, release))?)
    }

    fn read(&self, content: Sha256) -> Result<Arc<[u8]>, ShelfError> {
        Ok(self.artifacts.read_blob(content, MAX_FILE_BYTES)?.into())
    }

    fn cached(
        &self,
        map: Sha256,
        is_damaged: bool,
        build: &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>,
    ) -> Result<FileBytes, ShelfError> {
        if is_damaged {
            return build().map(FileBytes::new);
        }
        self.artifacts
            .cache_for(map, FORMAT_VERSION, build)
            .map_err(|failure| match failure {
                CacheFailure::Store(error) => error.into(),
                CacheFailure::Build(error) => error,
            })
    }

    fn was_used(&self, bundle: u64) {
        self.artifacts.mark_used(BundleId(bundle));
    }
}

impl From<Error> for ShelfError {
    fn from(error: Error) -> Self {
        match error {
            Error::TooLarge { .. } => Self::BadFile(error.to_string()),
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl ShelfFile {
    fn of_upload(Candidate { file, dists }: Candidate) -> Self {
        Self {
            path: ScriptPath::parse(&file.url),
            kind: match file.kind {
                FileKind::MinifiedSource => ShelfKind::Minified,
                FileKind::SourceMap => ShelfKind::Map,
                FileKind::Source | FileKind::Other => ShelfKind::Other,
            },
            dists,
            debug_id: file.debug_id,
            map_reference: StoredFile::source_map_header(&file).map(str::to_owned),
            map_file: file.map_file,
            content: file.sha256,
            len_bytes: file.len,
            bundle: file.bundle.0,
            url: file.url,
        }
    }
}
