//! Caches made from maps, each in a file that is mapped into memory. All of them can be lost.
//!
//! A cache is written whole under another name, synced and renamed: what bears a cache's name is a whole cache, also after
//! a power cut.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use host::{FileBytes, Host};

use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::mishaps::Mishaps;
use crate::store::{Artifacts, lock};

const FOLDER: &str = "caches";
const NEW_ENDING: &str = ".new";

/// The folder of caches.
pub(crate) struct Caches {
    host: Host,
    dir: PathBuf,
    max_bytes: u64,
    known: Mutex<Known>,
    /// Who builds what. An entry lives as long as somebody holds it.
    flights: Mutex<HashMap<String, Arc<Mutex<()>>>>,
    mishaps: Mishaps,
}

#[derive(Default)]
struct Known {
    files: BTreeMap<String, KnownFile>,
    bytes: u64,
    /// Counts uses: which came last.
    uses: u64,
}

struct KnownFile {
    len: u64,
    used: u64,
}

/// Why there is no cache.
#[derive(Debug)]
pub enum CacheFailure<E> {
    /// The store failed.
    Store(Error),
    /// What should have built it failed. It is not remembered here.
    Build(E),
}

impl Artifacts {
    /// The cache that was made from `map` by version `version` of the format; `build` makes it when there is none. Of
    /// several who ask at once, one builds. The bytes stay valid when the file goes.
    pub fn cache_for<E>(
        &self,
        map: Sha256,
        version: u32,
        build: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<FileBytes, CacheFailure<E>> {
        self.inner.caches.cache_for(map, version, build)
    }
}

impl Caches {
    /// Lists what is there. Which of them was used last is not known: they are all older than what this process uses.
    pub(crate) fn open(host: &Host, dir: &Path, max_bytes: u64, mishaps: Mishaps) -> Result<Self> {
        let dir = dir.join(FOLDER);
        host.files
            .create_dir_all(&dir)
            .map_err(Error::io("create", &dir))?;
        let mut known = Known::default();
        let entries = host.files.list(&dir).map_err(Error::io("list", &dir))?;
        for entry in entries {
            if entry.name.ends_with(NEW_ENDING) {
                let new = dir.join(&entry.name);
                mishaps.note("remove", &new, host.files.remove_file(&new));
                continue;
            }
            known.bytes += entry.len;
            let file = KnownFile {
                len: entry.len,
                used: 0,
            };
            known.files.insert(entry.name, file);
        }
        let caches = Self {
            host: host.clone(),
            dir,
            max_bytes,
            known: Mutex::new(known),
            flights: Mutex::default(),
            mishaps,
        };
        caches.make_room(0);
        Ok(caches)
    }

    fn cache_for<E>(
        &self,
        map: Sha256,
        version: u32,
        build: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<FileBytes, CacheFailure<E>> {
        let name = format!("{map}-{version}");
        if let Some(bytes) = self.find(&name) {
            return Ok(bytes);
        }
        let flight = Arc::clone(lock(&self.flights).entry(name.clone()).or_default());
        let result = {
            let _turn = flight.lock().unwrap_or_else(PoisonError::into_inner);
            match self.find(&name) {
                Some(bytes) => Ok(bytes),
                None => build()
                    .map_err(CacheFailure::Build)
                    .and_then(|bytes| self.put(&name, bytes).map_err(CacheFailure::Store)),
            }
        };
        let mut flights = lock(&self.flights);
        // The map and this one.
        if Arc::strong_count(&flight) == 2 {
            flights.remove(&name);
        }
        result
    }

    fn find(&self, name: &str) -> Option<FileBytes> {
        {
            let mut known = lock(&self.known);
            known.uses += 1;
            let used = known.uses;
            known.files.get_mut(name)?.used = used;
        }
        let path = self.dir.join(name);
        match self.host.files.map(&path) {
            Ok(bytes) => Some(bytes),
            // Somebody removed it: that is allowed. What cannot be read is made anew.
            failed => {
                self.mishaps.note("map", &path, failed);
                self.forget(name);
                None
            }
        }
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<FileBytes> {
        let len = bytes.len() as u64;
        if len > self.max_bytes {
            return Ok(FileBytes::new(bytes));
        }
        self.make_room(len);
        let path = self.dir.join(name);
        let new = self.dir.join(format!("{name}{NEW_ENDING}"));
        match self.write(&new, &path, &bytes) {
            Ok(()) => {}
            // A cache that cannot be kept is no reason not to use it.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.mishaps.note::<()>("write", &new, Err(error));
                self.remove(&new);
                return Ok(FileBytes::new(bytes));
            }
            Err(error) => {
                self.remove(&new);
                return Err(Error::io("write", &new)(error));
            }
        }
        let mut known = lock(&self.known);
        known.uses += 1;
        let used = known.uses;
        known.bytes += len;
        let file = KnownFile { len, used };
        if let Some(old) = known.files.insert(name.to_owned(), file) {
            known.bytes -= old.len;
        }
        drop(known);
        self.host.files.map(&path).map_err(Error::io("map", &path))
    }

    fn write(&self, new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.host.files.remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.host.files.create_new(new)?;
        file.write_all_at(bytes, 0)?;
        file.sync_data()?;
        self.host.files.rename(new, path)
    }

    /// Removes what was used longest ago until `len` more bytes fit.
    fn make_room(&self, len: u64) {
        loop {
            let oldest = {
                let known = lock(&self.known);
                if known.bytes + len <= self.max_bytes {
                    return;
                }
                let oldest = known.files.iter().min_by_key(|(_, file)| file.used);
                oldest.map(|(name, _)| name.clone())
            };
            let Some(name) = oldest else {
                return;
            };
            self.remove(&self.dir.join(&name));
            self.forget(&name);
        }
    }

    /// Removes a file that nobody waits for. One that stays is listed, and counted, when the folder is opened next.
    fn remove(&self, path: &Path) {
        let removed = self.host.files.remove_file(path);
        self.mishaps.note("remove", path, removed);
    }

    fn forget(&self, name: &str) {
        let mut known = lock(&self.known);
        if let Some(file) = known.files.remove(name) {
            known.bytes -= file.len;
        }
    }
}
