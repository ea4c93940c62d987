//! A shelf that a test fills.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use artifacts::ladder::{Shelf, ShelfError, ShelfFile};
use artifacts::{ReleaseId, ReleaseRef, Sha256};
use host::FileBytes;
use srcmap::DebugId;

/// Releases of one service, as the ladder sees them.
#[derive(Default)]
pub(crate) struct Releases {
    list: Mutex<Vec<(String, Vec<ShelfFile>)>>,
    contents: Mutex<HashMap<Sha256, Arc<[u8]>>>,
    generation: AtomicU64,
    pub(crate) used: Mutex<Vec<u64>>,
}

impl Releases {
    /// Adds the files of a fixture's folder to a release; the newest release stands first.
    pub(crate) fn add(&self, version: &str, folder: &str) -> &Self {
        self.add_only(version, folder, |_| true)
    }

    /// The same for the files whose names `is_wanted`.
    pub(crate) fn add_only(
        &self,
        version: &str,
        folder: &str,
        is_wanted: fn(&str) -> bool,
    ) -> &Self {
        let root = Path::new("tests/fixtures/webpack").join(folder);
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        for (name, bytes) in found.into_iter().filter(|(name, _)| is_wanted(name)) {
            self.put(version, &format!("~/{name}"), &bytes);
        }
        self
    }

    pub(crate) fn put(&self, version: &str, url: &str, bytes: &[u8]) -> &Self {
        let mut releases = self.list.lock().unwrap();
        let at = match releases.iter().position(|(other, _)| other == version) {
            Some(at) => at,
            None => {
                releases.insert(0, (version.to_owned(), Vec::new()));
                0
            }
        };
        let mut file = ShelfFile::of_bytes(url, bytes).unwrap();
        file.bundle = self.generation.fetch_add(1, Ordering::Relaxed);
        self.contents
            .lock()
            .unwrap()
            .insert(file.content, bytes.into());
        releases[at].1.insert(0, file);
        self
    }
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            found.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

impl Shelf for Releases {
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    fn with_debug_id(&self, _: &str, id: DebugId) -> Result<Vec<ShelfFile>, ShelfError> {
        let releases = self.list.lock().unwrap();
        let files = releases.iter().flat_map(|(_, files)| files);
        Ok(files
            .filter(|file| file.debug_id == Some(id))
            .cloned()
            .collect())
    }

    fn releases(&self, _: &str, version: Option<&str>) -> Result<Vec<ReleaseRef>, ShelfError> {
        let releases = self.list.lock().unwrap();
        let all = releases
            .iter()
            .enumerate()
            .map(|(at, (version, _))| ReleaseRef {
                id: ReleaseId(at as u64),
                version: version.clone(),
                seq: 0,
            });
        let all: Vec<ReleaseRef> = all.collect();
        let named: Vec<_> = all
            .iter()
            .filter(|one| Some(one.version.as_str()) == version)
            .cloned()
            .collect();
        Ok(if named.is_empty() { all } else { named })
    }

    fn files(&self, _: &str, release: &ReleaseRef) -> Result<Arc<[ShelfFile]>, ShelfError> {
        Ok(self.list.lock().unwrap()[release.id.0 as usize]
            .1
            .clone()
            .into())
    }

    fn read(&self, content: Sha256) -> Result<Arc<[u8]>, ShelfError> {
        let contents = self.contents.lock().unwrap();
        contents
            .get(&content)
            .cloned()
            .ok_or_else(|| ShelfError::BadFile("it is gone".to_owned()))
    }

    fn cached(
        &self,
        _: Sha256,
        _: bool,
        build: &mut dyn FnMut() -> Result<Vec<u8>, ShelfError>,
    ) -> Result<FileBytes, ShelfError> {
        build().map(FileBytes::new)
    }

    fn was_used(&self, bundle: u64) {
        self.used.lock().unwrap().push(bundle);
    }
}
