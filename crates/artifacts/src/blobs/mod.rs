//! Bytes in files that are named by their SHA-256, and the chunks that bundles are made of.
//!
//! A file is written under a name that nobody reads, synced, and linked to its own name; the folder is synced before a
//! transaction refers to it. So metadata never names a file that a power cut can take. A file that no metadata names is an
//! orphan, which [`Blobs::remove_orphans`] finds.

mod named;
mod read;
mod write;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::{File, Host};

pub(crate) use named::{Flaw, NamedFile, list_files, verify_blob, verify_chunk};
pub use read::BlobReader;
pub(crate) use write::{BlobWriter, Finished, Staged};

use crate::digest::{Sha1, Sha256};
use crate::error::{Error, Result};
use crate::mishaps::Mishaps;

/// How the bytes are in their file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Encoding {
    Raw,
    Zstd,
}

impl Encoding {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A blob that is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) encoding: Encoding,
    /// As the client has it.
    pub(crate) len: u64,
    /// In its file.
    pub(crate) file_len: u64,
}

/// The folders of blobs and chunks.
pub(crate) struct Blobs {
    host: Host,
    dir: PathBuf,
    kept: PathBuf,
    chunks: PathBuf,
    temporary: PathBuf,
    mishaps: Mishaps,
}

impl Blobs {
    /// Makes the folders, and forgets what the last process had not finished.
    pub(crate) fn open(host: &Host, dir: &Path, mishaps: Mishaps) -> Result<Self> {
        let blobs = Self {
            host: host.clone(),
            dir: dir.to_owned(),
            kept: dir.join(named::KEPT),
            chunks: dir.join(named::CHUNKS),
            temporary: dir.join(named::TEMPORARY),
            mishaps,
        };
        for folder in [&blobs.kept, &blobs.chunks, &blobs.temporary] {
            host.files
                .create_dir_all(folder)
                .map_err(Error::io("create", folder))?;
        }
        for entry in blobs.list(&blobs.temporary)? {
            blobs.remove(&blobs.temporary.join(entry))?;
        }
        Ok(blobs)
    }

    /// A file without a name of its own, which becomes a blob or a chunk.
    pub(crate) fn writer(&self, compress: bool) -> Result<BlobWriter> {
        BlobWriter::create(&self.host, &self.temporary, compress, self.mishaps.clone())
    }

    /// Gives a blob its name. It is durable when [`sync`](Self::sync) has returned for its folder.
    pub(crate) fn publish(&self, sha256: Sha256, staged: Staged) -> Result<Unsynced> {
        let path = self.path(sha256, staged.stored.encoding);
        self.publish_as(&path, staged)
    }

    pub(crate) fn publish_chunk(
        &self,
        organisation: u64,
        sha1: Sha1,
        staged: Staged,
    ) -> Result<Unsynced> {
        let path = self.chunk_path(organisation, sha1);
        self.publish_as(&path, staged)
    }

    fn publish_as(&self, path: &Path, staged: Staged) -> Result<Unsynced> {
        let folder = path.parent().unwrap_or(&self.kept).to_owned();
        self.host
            .files
            .create_dir_all(&folder)
            .map_err(Error::io("create", &folder))?;
        staged.sync()?;
        match self.host.files.link_new(staged.path(), path) {
            Ok(()) => {}
            // Somebody uploaded the same, or a crash left it: the name says what is in it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("link", path)(error)),
        }
        // Forgets the temporary name; another one may have been given to the file.
        drop(staged);
        Ok(Unsynced(folder))
    }

    /// Makes the names in the folders durable.
    pub(crate) fn sync(&self, folders: impl IntoIterator<Item = Unsynced>) -> Result<()> {
        let folders: BTreeSet<PathBuf> = folders.into_iter().map(|folder| folder.0).collect();
        for folder in &folders {
            self.host
                .files
                .sync_dir(folder)
                .map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }

    pub(crate) fn open_blob(&self, sha256: Sha256, stored: Stored) -> Result<BlobReader> {
        let path = self.path(sha256, stored.encoding);
        let file = self.open_file(&path, stored.file_len)?;
        BlobReader::new(file, path, stored)
    }

    pub(crate) fn open_chunk(
        &self,
        organisation: u64,
        sha1: Sha1,
        len: u64,
    ) -> Result<Arc<dyn File>> {
        self.open_file(&self.chunk_path(organisation, sha1), len)
    }

    fn open_file(&self, path: &Path, len: u64) -> Result<Arc<dyn File>> {
        let file = self
            .host
            .files
            .open(path)
            .map_err(Error::io("open", path))?;
        let found = file.len().map_err(Error::io("read", path))?;
        if found != len {
            return Err(Error::Damaged(format!(
                "{} has {found} bytes and not {len}",
                path.display()
            )));
        }
        Ok(file)
    }

    /// Removes files that no metadata names any more. The caller sees to it that nobody is about to name them.
    pub(crate) fn remove_blob(&self, sha256: Sha256, encoding: Encoding) -> Result<()> {
        self.remove(&self.path(sha256, encoding))
    }

    pub(crate) fn remove_chunk(&self, organisation: u64, sha1: Sha1) -> Result<()> {
        self.remove(&self.chunk_path(organisation, sha1))
    }

    /// Goes through all files and removes those that `is_blob` and `is_chunk` do not know. Returns how many.
    pub(crate) fn remove_orphans(
        &self,
        mut is_blob: impl FnMut(Sha256, Encoding) -> Result<bool>,
        mut is_chunk: impl FnMut(u64, Sha1) -> Result<bool>,
    ) -> Result<u64> {
        let mut removed = 0;
        for prefix in self.list(&self.kept)? {
            let folder = self.kept.join(&prefix);
            for name in self.list(&folder)? {
                let known = match parse_blob_name(&prefix, &name) {
                    Some((sha256, encoding)) => is_blob(sha256, encoding)?,
                    None => false,
                };
                if !known {
                    self.remove(&folder.join(name))?;
                    removed += 1;
                }
            }
        }
        for organisation in self.list(&self.chunks)? {
            let folder = self.chunks.join(&organisation);
            for name in self.list(&folder)? {
                let known = match (organisation.parse(), name.parse()) {
                    (Ok(organisation), Ok(sha1)) => is_chunk(organisation, sha1)?,
                    _ => false,
                };
                if !known {
                    self.remove(&folder.join(name))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Names of the folder's entries.
    fn list(&self, folder: &Path) -> Result<Vec<String>> {
        let entries = self
            .host
            .files
            .list(folder)
            .map_err(Error::io("list", folder))?;
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match self.host.files.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, sha256: Sha256, encoding: Encoding) -> PathBuf {
        self.dir.join(NamedFile::Blob(sha256, encoding).path())
    }

    fn chunk_path(&self, organisation: u64, sha1: Sha1) -> PathBuf {
        self.dir.join(NamedFile::Chunk(organisation, sha1).path())
    }
}

/// A folder whose names are not durable yet.
#[must_use]
pub(crate) struct Unsynced(PathBuf);

fn parse_blob_name(prefix: &str, name: &str) -> Option<(Sha256, Encoding)> {
    let (rest, encoding) = match name.strip_suffix(named::ZSTD_ENDING) {
        Some(rest) => (rest, Encoding::Zstd),
        None => (name, Encoding::Raw),
    };
    let sha256 = format!("{prefix}{rest}").parse().ok()?;
    Some((sha256, encoding))
}
