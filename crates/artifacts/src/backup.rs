//! Copies the files of a store, whether a server uses it or not, as they were at one instant.
//!
//! The metadata is copied first, as of one commit, and then every file that it names. Files never change, so only what a
//! server removes meanwhile is in the way: when a file is gone, the metadata is copied anew, which does not name it any
//! more, and only what is missing by the newer one is copied. So it comes to an end.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use host::Host;

use crate::blobs::{Flaw, NamedFile};
use crate::check::{Defect, Progress, defect_of, verify};
use crate::error::{Error, Result};
use crate::metadata::{self, Instant, read_frozen, write_copy};
use crate::named::{Expected, Named};
use crate::store::FOLDER;

/// How often the metadata is copied anew.
const MAX_ROUNDS: usize = 1000;
const READ_LEN: u64 = 1 << 20;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What is to be copied is damaged.
    #[error("the uploads are damaged, nothing was backed up: {0}")]
    Damaged(Defect),
    /// Files went each time.
    #[error("the uploads changed {MAX_ROUNDS} times before they could be copied")]
    Unstable,
    /// The store can't be read, or the copy not be written.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackupReport {
    /// Bundles and single files.
    pub bundles: u64,
    /// Blobs and chunks.
    pub kept_files: u64,
    /// Of these, those that an earlier copy had already.
    pub shared_files: u64,
    /// Bytes that were copied.
    pub bytes_copied: u64,
}

/// Copies what is below `<data_dir>/artifacts` to `<into>/artifacts`, which must be missing; the copy is durable when this
/// returns. Files that `<earlier>/artifacts` has are shared with it. What was acknowledged before this began is in the copy.
///
/// `None` when there is nothing to copy, and then nothing is written.
///
/// # Errors
///
/// [`BackupError`]; what is at `into` then is no copy.
pub fn backup(
    host: &Host,
    data_dir: &Path,
    earlier: Option<&Path>,
    into: &Path,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Option<BackupReport>, BackupError> {
    let from = data_dir.join(FOLDER);
    if !exists(host, &metadata::path_in(&from))? {
        let found = crate::check::check(host, data_dir, &mut |_| {})?;
        let defect = found.and_then(|found| found.defects.into_iter().next());
        return match defect {
            Some(defect) => Err(BackupError::Damaged(defect)),
            None => Ok(None),
        };
    }
    let mut copying = Copying {
        host,
        from,
        earlier: earlier.map(|earlier| earlier.join(FOLDER)),
        into: into.join(FOLDER),
        copied: BTreeMap::new(),
        folders: BTreeSet::new(),
        report: BackupReport::default(),
        progress: Progress::default(),
        on_progress,
    };
    copying.all()?;
    Ok(Some(copying.report))
}

/// What [`backup`] writes that must be there, below the folder of the backup.
pub fn backup_metadata() -> PathBuf {
    metadata::path_in(Path::new(FOLDER))
}

struct Copying<'a> {
    host: &'a Host,
    from: PathBuf,
    earlier: Option<PathBuf>,
    into: PathBuf,
    /// Files that are in the copy, and whether they are shared with the earlier one.
    copied: BTreeMap<NamedFile, bool>,
    /// Folders that are in the copy.
    folders: BTreeSet<PathBuf>,
    report: BackupReport,
    progress: Progress,
    on_progress: &'a mut dyn FnMut(Progress),
}

/// The server removed what was to be copied.
struct Changed;

impl Copying<'_> {
    fn all(&mut self) -> Result<(), BackupError> {
        self.host
            .files
            .create_dir_all(&self.into)
            .map_err(Error::io("create", &self.into))?;
        for _ in 0..MAX_ROUNDS {
            let (named, instant) = self.metadata()?;
            if self.files(&named, &instant)?.is_ok() {
                self.drop_unnamed(&named)?;
                self.sync_folders()?;
                self.report.bundles = named.bundles;
                self.report.kept_files = named.kept.len() as u64;
                let shared = self.copied.values().filter(|is_shared| **is_shared);
                self.report.shared_files = shared.count() as u64;
                return Ok(());
            }
        }
        Err(BackupError::Unstable)
    }

    fn metadata(&mut self) -> Result<(Named, Instant), BackupError> {
        let (host, into) = (self.host, &self.into);
        let read = read_frozen(host, &self.from, |view| {
            remove(host, &metadata::path_in(into))?;
            write_copy(host, into, view)?;
            Named::by(view)
        });
        read.map_err(|error| match defect_of(&self.from, error) {
            Ok(defect) => BackupError::Damaged(defect),
            Err(error) => error.into(),
        })
    }

    fn files(
        &mut self,
        named: &Named,
        instant: &Instant,
    ) -> Result<Result<(), Changed>, BackupError> {
        let missing = |name: &&NamedFile| !self.copied.contains_key(*name);
        let bytes = named.kept.iter().filter(|(name, _)| missing(name));
        let bytes: u64 = bytes.map(|(_, expected)| expected.file_len()).sum();
        self.progress.bytes_total = self.progress.bytes_done + bytes;
        for (name, expected) in &named.kept {
            if self.copied.contains_key(name) {
                continue;
            }
            let is_shared = self.share(name, *expected)?;
            if !is_shared {
                match self.copy(name, *expected)? {
                    Ok(()) => self.report.bytes_copied += expected.file_len(),
                    Err(flaw) => return self.is_still_named(name, flaw, instant),
                }
            }
            self.copied.insert(*name, is_shared);
            self.progress.bytes_done += expected.file_len();
            (self.on_progress)(self.progress);
        }
        Ok(Ok(()))
    }

    /// Gives a file of the earlier copy a second name. `false` when it is not there, or the file system can't.
    fn share(&mut self, name: &NamedFile, expected: Expected) -> Result<bool> {
        let Some(earlier) = &self.earlier else {
            return Ok(false);
        };
        let from = earlier.join(name.path());
        let is_the_same = match self.host.files.open(&from) {
            Ok(file) => file.len().map_err(Error::io("read", &from))? == expected.file_len(),
            Err(_) => false,
        };
        if !is_the_same {
            return Ok(false);
        }
        let into = self.folder_for(name)?;
        Ok(self.host.files.link_new(&from, &into).is_ok())
    }

    /// Copies a file, and verifies the copy.
    fn copy(&mut self, name: &NamedFile, expected: Expected) -> Result<Result<(), Flaw>> {
        let from = self.from.join(name.path());
        let source = match self.host.files.open(&from) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(Flaw::Missing));
            }
            Err(error) => return Err(Error::io("open", &from)(error)),
        };
        let len = source.len().map_err(Error::io("read", &from))?;
        let due = expected.file_len();
        if len != due {
            let what = format!("it has {len} bytes, and the metadata says {due}");
            return Ok(Err(Flaw::Wrong(what)));
        }
        let into = self.folder_for(name)?;
        let target = self
            .host
            .files
            .create_new(&into)
            .map_err(Error::io("create", &into))?;
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < len {
            bytes.resize((len - at).min(READ_LEN) as usize, 0);
            source
                .read_exact_at(&mut bytes, at)
                .map_err(Error::io("read", &from))?;
            target
                .write_all_at(&bytes, at)
                .map_err(Error::io("write", &into))?;
            at += bytes.len() as u64;
        }
        target.sync_data().map_err(Error::io("sync", &into))?;
        let verified = verify(self.host, &into, name, expected);
        if verified.is_err() {
            remove(self.host, &into)?;
        }
        Ok(verified)
    }

    /// Where the copy of a file goes; its folder is there.
    fn folder_for(&mut self, name: &NamedFile) -> Result<PathBuf> {
        let path = self.into.join(name.path());
        let folder = path.parent().unwrap_or(&self.into);
        // Making a folder syncs the one above it, whether it was there or not.
        if !self.folders.contains(folder) {
            self.host
                .files
                .create_dir_all(folder)
                .map_err(Error::io("create", folder))?;
            self.folders.insert(folder.to_owned());
        }
        Ok(path)
    }

    /// A file that is not as it should be: damage, unless it was removed because the metadata does not name it any more.
    fn is_still_named(
        &self,
        name: &NamedFile,
        flaw: Flaw,
        instant: &Instant,
    ) -> Result<Result<(), Changed>, BackupError> {
        let what = match flaw {
            Flaw::Wrong(what) => what,
            Flaw::Missing => {
                if Instant::now(self.host, &metadata::path_in(&self.from))? != *instant {
                    return Ok(Err(Changed));
                }
                "it is missing, and the metadata names it".to_owned()
            }
        };
        let path = self.from.join(name.path());
        Err(BackupError::Damaged(Defect { path, what }))
    }

    /// Removes files that an earlier round copied and the last metadata does not name.
    fn drop_unnamed(&mut self, named: &Named) -> Result<()> {
        for name in self.copied.keys() {
            if !named.kept.contains_key(name) {
                remove(self.host, &self.into.join(name.path()))?;
            }
        }
        self.copied.retain(|name, _| named.kept.contains_key(name));
        Ok(())
    }

    /// Makes the names durable.
    fn sync_folders(&self) -> Result<()> {
        for folder in self.folders.iter().chain([&self.into]) {
            self.host
                .files
                .sync_dir(folder)
                .map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }
}

fn exists(host: &Host, path: &Path) -> Result<bool> {
    host.files.exists(path).map_err(Error::io("look for", path))
}

/// Removes a file, if it is there.
fn remove(host: &Host, path: &Path) -> Result<()> {
    match host.files.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
