//! The store as a whole: open, and what its parts share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use host::{FileLock, Host};

use crate::blobs::{Blobs, Encoding};
use crate::caches::Caches;
use crate::digest::{Sha1, Sha256};
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::metadata::tables::{self, Tables};
use crate::mishaps::Mishaps;
use crate::options::Options;
use crate::retention::Used;

/// The one tenant, until there are more. Every organisation belongs to it.
pub(crate) const TENANT: &str = "default";

pub(crate) const FOLDER: &str = "artifacts";
const LOCK: &str = "LOCK";

/// What was uploaded. Cheap to clone; all methods block.
#[derive(Clone)]
pub struct Artifacts {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) host: Host,
    pub(crate) options: Options,
    pub(crate) metadata: Metadata,
    pub(crate) blobs: Blobs,
    pub(crate) caches: Caches,
    pub(crate) mishaps: Mishaps,
    pub(crate) used: Mutex<Used>,
    /// Held shared from before a file gets its name until metadata names it, and exclusively while files are removed: what
    /// an upload found is there when it commits.
    uploads: RwLock<()>,
    garbage: Mutex<Garbage>,
    dir: PathBuf,
    _lock: Box<dyn FileLock>,
}

/// Files that nothing names any more.
#[derive(Default)]
struct Garbage {
    blobs: Vec<(Sha256, Encoding)>,
    chunks: Vec<(u64, Sha1)>,
}

impl Artifacts {
    /// Opens what is below `<data_dir>/artifacts`, or makes it. One process at a time: a second one gets [`Error::InUse`].
    /// Files that an interrupted upload left are removed.
    pub fn open(host: &Host, data_dir: &Path, options: Options) -> Result<Self> {
        let dir = data_dir.join(FOLDER);
        host.files
            .create_dir_all(&dir)
            .map_err(Error::io("create", &dir))?;
        let lock_path = dir.join(LOCK);
        let lock = host
            .files
            .lock_exclusive(&lock_path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::WouldBlock => Error::InUse { path: dir.clone() },
                _ => Error::io("lock", &lock_path)(error),
            })?;
        let metadata = Metadata::open(host, &dir, options.metadata_memory_bytes)?;
        let mishaps = Mishaps::default();
        let blobs = Blobs::open(host, &dir, mishaps.clone())?;
        let caches = Caches::open(host, &dir, options.cache_bytes, mishaps.clone())?;
        let artifacts = Self {
            inner: Arc::new(Inner {
                host: host.clone(),
                options,
                metadata,
                blobs,
                caches,
                mishaps,
                used: Mutex::default(),
                uploads: RwLock::default(),
                garbage: Mutex::default(),
                dir,
                _lock: lock,
            }),
        };
        artifacts.remove_orphans()?;
        Ok(artifacts)
    }

    /// Rises with each upload, deletion and mapping of a service: what could not be found before may be there now.
    pub fn generation(&self) -> u64 {
        self.inner.metadata.generation()
    }

    /// The settings that it was opened with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The folder of everything.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    fn remove_orphans(&self) -> Result<u64> {
        let view = self.inner.metadata.view()?;
        self.inner.blobs.remove_orphans(
            |sha256, encoding| {
                let stored = tables::stored(&view.blobs, sha256)?;
                Ok(stored.is_some_and(|stored| stored.encoding == encoding))
            },
            |organisation, sha1| chunk_exists(&view.chunks, organisation, sha1),
        )
    }
}

impl std::fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifacts")
            .field("dir", &self.inner.dir)
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// A change of the metadata; files that it made superfluous are removed when no upload runs, or by the next sweep.
    pub(crate) fn change<R>(&self, act: impl FnOnce(&mut Tables<'_>) -> Result<R>) -> Result<R> {
        let (result, garbage) = self.metadata.change(act)?;
        if !garbage.is_empty() {
            self.garbage().blobs.extend(garbage);
        }
        Ok(result)
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.host.clock.now_unix_nano() / 1_000_000
    }

    /// While it lives, no file is removed.
    pub(crate) fn upload(&self) -> RwLockReadGuard<'_, ()> {
        self.uploads.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Files that may have no name in the metadata; it is looked up again before they are removed.
    pub(crate) fn forget_blobs(&self, blobs: impl IntoIterator<Item = (Sha256, Encoding)>) {
        self.garbage().blobs.extend(blobs);
    }

    /// As [`forget_blobs`](Self::forget_blobs).
    pub(crate) fn forget_chunks(&self, chunks: impl IntoIterator<Item = (u64, Sha1)>) {
        self.garbage().chunks.extend(chunks);
    }

    /// Removes files that nothing names. With `wait`, it waits for running uploads; else it leaves them for later.
    pub(crate) fn collect_garbage(&self, wait: bool) -> Result<u64> {
        let _guard = if wait {
            self.uploads.write().unwrap_or_else(PoisonError::into_inner)
        } else {
            match self.uploads.try_write() {
                Ok(guard) => guard,
                Err(_) => return Ok(0),
            }
        };
        let garbage = std::mem::take(&mut *self.garbage());
        let view = self.metadata.view()?;
        let mut removed = 0;
        for (sha256, encoding) in garbage.blobs {
            // An upload may have brought it back in the meantime.
            let stored = tables::stored(&view.blobs, sha256)?;
            if stored.is_none_or(|stored| stored.encoding != encoding) {
                self.blobs.remove_blob(sha256, encoding)?;
                removed += 1;
            }
        }
        for (organisation, sha1) in garbage.chunks {
            if !chunk_exists(&view.chunks, organisation, sha1)? {
                self.blobs.remove_chunk(organisation, sha1)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn garbage(&self) -> MutexGuard<'_, Garbage> {
        lock(&self.garbage)
    }
}

fn chunk_exists(
    table: &impl redb::ReadableTable<(u64, &'static [u8; 20]), (u64, u64, bool)>,
    organisation: u64,
    sha1: Sha1,
) -> Result<bool> {
    Ok(table.get((organisation, &sha1.0))?.is_some())
}

/// A panic of another thread leaves the lists here whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
