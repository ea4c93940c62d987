//! Local files, as little of them as durable storage needs.
//!
//! Calls block; async code runs them through [`Tasks::blocking`](crate::Tasks::blocking).
//!
//! What survives a power cut is only what was synced, and names and bytes are synced apart:
//!
//! - bytes and length of a file: [`File::sync_data`] or [`File::sync_all`];
//! - a name that was created, linked, renamed or removed: [`Files::sync_dir`] of its folder.
//!
//! After a failed sync the file must be given up: the kernel may have dropped the pages that it
//! could not write and marked them clean, so that reads and later syncs succeed and lie.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file_bytes::FileBytes;

/// A file system.
pub trait Files: Send + Sync {
    /// Creates a file for reading and writing; `AlreadyExists` when the name is taken.
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// All bytes of a file, where the system has them if it can map files, else a copy. Only for files that nobody
    /// writes to or cuts once they bear their name: they may be replaced by another file of that name, or removed.
    fn map(&self, path: &Path) -> io::Result<FileBytes> {
        let file = self.open(path)?;
        let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(FileBytes::new(bytes))
    }

    /// Opens an existing file for reading and writing, and changes nothing in it.
    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Gives the file `from` the second name `to`; `AlreadyExists` when that name is taken. Of
    /// several who publish under one name at once, exactly one succeeds, and readers of `to`
    /// see all of the file or no file.
    fn link_new(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file or a folder; a file that bears the name `to` already is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives the file `to` the permissions of the file `from`, for one that takes its place.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder and all that is in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Creates a folder and those above it that are missing. When it returns, the folders are
    /// durable: it syncs the parent of each one that it created, and of the first that was
    /// there, because a process that was killed may have created that one and not synced it.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes durable which names are in a folder.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// What is in a folder, sorted by name.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Whether the name exists, as a file or as a folder.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The one path of what `path` names, without links and `..`, as far as it exists; what is missing of it is taken as it is written.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf>;

    /// Size of and room on the file system that holds `path`, which must exist.
    fn free_bytes(&self, path: &Path) -> io::Result<Space>;

    /// Takes the lock of a file, which is created when missing and never removed. Fails with
    /// `WouldBlock` while somebody else, in this or another process, holds it. The lock ends
    /// when the guard is dropped or its process ends, however it ends.
    fn lock_exclusive(&self, path: &Path) -> io::Result<Box<dyn FileLock>>;
}

/// An open file. Reads and writes name their offset, so threads can share it.
#[expect(
    clippy::len_without_is_empty,
    reason = "asking for the length costs a system call and can fail; nobody asks for emptiness alone"
)]
pub trait File: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `buf` from `offset`; `UnexpectedEof` when the file ends first.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Fills as much of `buf` from `offset` as is there, and says how much; 0 at the end. For files whose length nobody knows, such as those below `/proc`.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `buf` at `offset` and extends the file where needed. After an error any
    /// part of it may have been written.
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;

    /// Makes bytes and length durable (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;

    /// Makes bytes, length and other metadata durable (`fsync`).
    fn sync_all(&self) -> io::Result<()>;

    /// Cuts the file or extends it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Extends the file with zeros to at least `len` and reserves the room, so that writes below
    /// `len` do not meet a full disk. Where the file system cannot reserve, it only extends.
    fn preallocate(&self, len: u64) -> io::Result<()>;
}

/// Holds the lock of a file until it is dropped.
pub trait FileLock: Send + Sync {}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name without its folder. Bytes that are no UTF-8 are replaced: we create no such names,
    /// so such an entry is never one of ours.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Length in bytes; 0 for a folder.
    pub len: u64,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this process may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}
