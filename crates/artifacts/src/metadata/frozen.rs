//! The metadata's file at one instant, read beside the process that writes to it, and never written to.
//!
//! redb writes no page that the last commit refers to: changes go to free pages, and a commit is the write of the header
//! that refers to them. So what was read between two equal headers is of one commit. Each commit has a number of its own in
//! the header, so that no later one looks the same. Where the header has changed, reading fails, and begins anew.
//!
//! This does not rest on redb's promise alone: opening here verifies the checksum of every page.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use host::{File, Host};
use redb::StorageBackend;

use crate::error::{Error, Result};
use crate::store::lock;

/// redb's header has 320 bytes; nothing else is in the first page.
const HEADER_LEN: usize = 512;
const PAGE_LEN: u64 = 4096;
const READ_LEN: usize = 1 << 20;

/// What redb's file says of the commit that counts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Instant {
    header: [u8; HEADER_LEN],
    len: u64,
}

/// The file as it was at one instant. What redb writes to it when it opens it stays here.
#[derive(Clone)]
pub(super) struct Frozen(Arc<Inner>);

struct Inner {
    file: Arc<dyn File>,
    path: PathBuf,
    instant: Instant,
    /// All bytes, or none when there are too many.
    bytes: Option<Vec<u8>>,
    /// Pages that were written here, by their number.
    written: Mutex<BTreeMap<u64, Vec<u8>>>,
    len: AtomicU64,
}

impl Instant {
    /// The instant that the file is at now.
    pub(crate) fn now(host: &Host, path: &Path) -> Result<Self> {
        let file = host.files.open(path).map_err(Error::io("open", path))?;
        Self::of(&*file).map_err(Error::io("read", path))
    }

    fn of(file: &dyn File) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, 0)?;
        let len = file.len()?;
        Ok(Self { header, len })
    }
}

impl Frozen {
    /// A file of up to `max_in_memory` bytes is read at once, which is soon done; a larger one is read where it is. `None` when
    /// somebody committed meanwhile.
    pub(super) fn take(host: &Host, path: &Path, max_in_memory: u64) -> Result<Option<Self>> {
        let file = host.files.open(path).map_err(Error::io("open", path))?;
        let instant = Instant::of(&*file).map_err(Error::io("read", path))?;
        let mut frozen = Inner {
            file,
            path: path.to_owned(),
            len: AtomicU64::new(instant.len),
            instant,
            bytes: None,
            written: Mutex::default(),
        };
        if frozen.instant.len <= max_in_memory {
            let mut bytes = vec![0; frozen.instant.len as usize];
            for (index, part) in bytes.chunks_mut(READ_LEN).enumerate() {
                match frozen.read_file((index * READ_LEN) as u64, part) {
                    Ok(()) => {}
                    Err(_) if frozen.has_changed()? => return Ok(None),
                    Err(error) => return Err(Error::io("read", path)(error)),
                }
            }
            frozen.bytes = Some(bytes);
        }
        Ok(Some(Self(Arc::new(frozen))))
    }

    pub(super) fn instant(&self) -> &Instant {
        &self.0.instant
    }

    /// Whether somebody has committed since.
    pub(super) fn has_changed(&self) -> Result<bool> {
        self.0.has_changed()
    }
}

impl Inner {
    fn has_changed(&self) -> Result<bool> {
        let now = Instant::of(&*self.file).map_err(Error::io("read", &self.path))?;
        Ok(now != self.instant)
    }

    fn read_file(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)?;
        if Instant::of(&*self.file)? == self.instant {
            return Ok(());
        }
        Err(io::Error::other("it was written to while it was read"))
    }

    /// Bytes of one page, as they were or as they were written here.
    fn read_page(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let (page, within) = (offset / PAGE_LEN, (offset % PAGE_LEN) as usize);
        if let Some(written) = lock(&self.written).get(&page) {
            out.copy_from_slice(&written[within..within + out.len()]);
            return Ok(());
        }
        // What was appended here is zeros until it is written.
        let there = self.instant.len.saturating_sub(offset);
        let there = there.min(out.len() as u64) as usize;
        let (old, new) = out.split_at_mut(there);
        new.fill(0);
        match &self.bytes {
            Some(bytes) if !old.is_empty() => {
                let from = offset as usize;
                old.copy_from_slice(&bytes[from..from + old.len()]);
                Ok(())
            }
            None if !old.is_empty() => self.read_file(offset, old),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frozen").finish_non_exhaustive()
    }
}

impl StorageBackend for Frozen {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len.load(Ordering::Acquire))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > StorageBackend::len(self)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = offset;
        let mut rest = out;
        while !rest.is_empty() {
            let len = (PAGE_LEN - at % PAGE_LEN).min(rest.len() as u64);
            let (now, later) = rest.split_at_mut(len as usize);
            self.0.read_page(at, now)?;
            at += len;
            rest = later;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.len.store(len, Ordering::Release);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut at = offset;
        let mut rest = data;
        while !rest.is_empty() {
            let (page, within) = (at / PAGE_LEN, (at % PAGE_LEN) as usize);
            let len = (PAGE_LEN as usize - within).min(rest.len());
            let (now, later) = rest.split_at(len);
            let mut bytes = vec![0; PAGE_LEN as usize];
            if len < bytes.len() {
                self.0.read_page(page * PAGE_LEN, &mut bytes)?;
            }
            bytes[within..within + len].copy_from_slice(now);
            lock(&self.0.written).insert(page, bytes);
            at += len as u64;
            rest = later;
        }
        Ok(())
    }
}
