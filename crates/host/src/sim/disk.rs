//! A disk that forgets what was not synced and fails on command.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::content::FileData;
use super::fault::{Crash, Fault, Operation, OperationKind, power_is_off};
use super::image::{Image, NodeId};
use super::lock;
use super::random::SimRandom;
use crate::files::{DirEntry, File, FileLock, Files, Space};

type Policy = Box<dyn FnMut(&Operation<'_>) -> Option<Fault> + Send>;

/// A simulated disk; clones are the same disk.
///
/// It is stricter than most file systems: a synced file whose folder was not synced has no name
/// after a power cut, and names, lengths and sectors survive independently of each other.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    image: Image,
    random: SimRandom,
    /// Which process may use it; files of earlier ones fail.
    boot: u64,
    running: bool,
    changes: u64,
    cut_after: Option<u64>,
    policy: Option<Policy>,
    capacity: u64,
    locked: BTreeSet<NodeId>,
}

impl SimDisk {
    pub(super) fn new(random: SimRandom) -> Self {
        let state = State {
            image: Image::new(),
            random,
            boot: 0,
            running: true,
            changes: 0,
            cut_after: None,
            policy: None,
            capacity: 1 << 40,
            locked: BTreeSet::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The file system as the process that runs now sees it.
    pub fn files(&self) -> Arc<dyn Files> {
        Arc::new(SimFiles {
            disk: self.clone(),
            boot: self.state().boot,
        })
    }

    /// How many operations have changed the disk so far; each of them is a point at which a test
    /// may cut the power.
    pub fn operations(&self) -> u64 {
        self.state().changes
    }

    /// Cuts the power during the operation that follows the next `operations` ones. That one
    /// fails and may be done in part; every later one fails until [`SimHost::crash`](super::SimHost::crash).
    pub fn cut_power_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_after = Some(state.changes + operations);
    }

    /// Whether a planned cut has happened.
    pub fn power_is_off(&self) -> bool {
        !self.state().running
    }

    /// Asks `policy` before each operation whether it shall fail. It replaces the policy before.
    pub fn set_policy(&self, policy: impl FnMut(&Operation<'_>) -> Option<Fault> + Send + 'static) {
        self.state().policy = Some(Box::new(policy));
    }

    /// Lets the `nth` operation of this kind from now on, counted from 0, fail with `fault`. It
    /// replaces the policy before.
    pub fn fail_nth(&self, kind: OperationKind, nth: u64, fault: Fault) {
        let mut seen = 0;
        self.set_policy(move |operation| {
            if operation.kind != kind {
                return None;
            }
            seen += 1;
            (seen == nth + 1).then_some(fault)
        });
    }

    /// Ends policy and planned cut.
    pub fn clear_faults(&self) {
        let mut state = self.state();
        state.policy = None;
        state.cut_after = None;
    }

    /// Limits the disk to so many bytes; what does not fit fails with `ENOSPC`.
    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity = bytes;
    }

    /// The bytes of a file, past all faults.
    pub fn read_file(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let state = self.state();
        let content = state
            .image
            .file(state.image.get_file(path.as_ref())?)?
            .live();
        let mut bytes = vec![0; content.len() as usize];
        content.read(&mut bytes, 0);
        Ok(bytes)
    }

    /// Puts a file there, durable at once and past all faults; one of that name is replaced. All
    /// names on the disk become durable with it.
    ///
    /// # Panics
    ///
    /// When a parent of `path` is a file.
    pub fn write_file(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = path.as_ref();
        let image = &mut self.state().image;
        let written = create_parents(image, path).and_then(|()| {
            if image.find(path)?.is_some() {
                image.remove_file(path)?;
            }
            image.create_file(path, FileData::durable(bytes))
        });
        if let Err(error) = written {
            panic!("cannot put a file at {}: {error}", path.display());
        }
        image.sync_all_names();
    }

    /// Turns over bit `bit` (0 to 7) of the byte at `offset`, in memory and on the platter.
    pub fn flip_bit(&self, path: impl AsRef<Path>, offset: u64, bit: u8) -> io::Result<()> {
        let image = &mut self.state().image;
        let node = image.get_file(path.as_ref())?;
        image.file_mut(node)?.flip(offset, bit);
        Ok(())
    }

    /// Takes the disk away from the process that runs now.
    pub(super) fn stop(&self) {
        self.state().running = false;
    }

    /// Leaves on the disk what the crash leaves, and gives it to the next process.
    pub(super) fn crash(&self, crash: Crash) {
        let mut state = self.state();
        let random = state.random.clone();
        match crash {
            Crash::KeepAll => {}
            Crash::DropUnsynced => state.image.drop_unsynced(),
            Crash::Torn => state.image.tear(&random),
        }
        state.boot += 1;
        state.running = true;
        state.policy = None;
        state.cut_after = None;
        state.locked.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl std::fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimDisk").finish_non_exhaustive()
    }
}

fn create_parents(image: &mut Image, path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    if image.find(parent)?.is_none() {
        create_parents(image, parent)?;
        image.create_dir(parent)?;
    }
    Ok(())
}

impl State {
    /// Counts an operation and decides its fate: no fault, or the one that it shall meet.
    fn begin(&mut self, boot: u64, kind: OperationKind, path: &Path) -> io::Result<Option<Fault>> {
        if boot != self.boot {
            return Err(io::Error::other(
                "this file system belongs to a process that crashed; take a new SimHost::host()",
            ));
        }
        if !self.running {
            return Err(power_is_off());
        }
        let operation = Operation {
            kind,
            path,
            number: self.changes,
        };
        let mut fault = self.policy.as_mut().and_then(|policy| policy(&operation));
        if kind.is_change() {
            if self.cut_after == Some(self.changes) {
                fault = Some(Fault::CutPower);
            }
            self.changes += 1;
        }
        if fault == Some(Fault::CutPower) {
            self.running = false;
        }
        Ok(fault)
    }

    /// An operation that fails as a whole or happens. One that a power cut interrupts may have
    /// happened: it is in the live image, and the crash decides.
    fn simple<T>(
        &mut self,
        boot: u64,
        kind: OperationKind,
        path: &Path,
        act: impl FnOnce(&mut Image) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.begin(boot, kind, path)? {
            None => act(&mut self.image),
            Some(Fault::CutPower) => {
                act(&mut self.image)?;
                Err(Fault::CutPower.error())
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn free(&self) -> u64 {
        self.capacity.saturating_sub(self.image.allocated())
    }
}

struct SimFiles {
    disk: SimDisk,
    boot: u64,
}

impl SimFiles {
    fn simple<T>(
        &self,
        kind: OperationKind,
        path: &Path,
        act: impl FnOnce(&mut Image) -> io::Result<T>,
    ) -> io::Result<T> {
        self.disk.state().simple(self.boot, kind, path, act)
    }

    fn file(&self, path: &Path, node: NodeId, writable: bool) -> Arc<dyn File> {
        Arc::new(SimFile {
            disk: self.disk.clone(),
            boot: self.boot,
            path: path.to_owned(),
            node,
            writable,
        })
    }
}

impl Files for SimFiles {
    fn create_new(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = self.simple(OperationKind::CreateNew, path, |image| {
            image.create_file(path, FileData::default())
        })?;
        Ok(self.file(path, node, true))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = self.simple(OperationKind::Open, path, |image| image.get_file(path))?;
        Ok(self.file(path, node, false))
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let node = self.simple(OperationKind::Open, path, |image| image.get_file(path))?;
        Ok(self.file(path, node, true))
    }

    fn link_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.simple(OperationKind::LinkNew, from, |image| image.link(from, to))
    }

    /// Files of this disk have none.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.open(from)?;
        self.open(to).map(drop)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.simple(OperationKind::Rename, from, |image| image.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.simple(OperationKind::RemoveFile, path, |image| {
            image.remove_file(path)
        })
    }

    /// One operation for each file and folder in it, as on a real disk.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        for entry in self.list(path)? {
            let path = path.join(entry.name);
            if entry.is_dir {
                self.remove_dir_all(&path)?;
            } else {
                self.remove_file(&path)?;
            }
        }
        self.simple(OperationKind::RemoveDir, path, |image| {
            image.remove_empty_dir(path)
        })
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let found = self.disk.state().image.find(path)?;
        let Some(parent) = path.parent() else {
            return Ok(());
        };
        if let Some(node) = found {
            if !self.disk.state().image.is_dir(node) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            return self.sync_dir(parent);
        }
        self.create_dir_all(parent)?;
        self.simple(OperationKind::CreateDir, path, |image| {
            image.create_dir(path)
        })?;
        self.sync_dir(parent)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.disk.state();
        match state.begin(self.boot, OperationKind::SyncDir, path)? {
            None => state.image.sync_dir(path),
            Some(fault) => {
                if fault != Fault::CutPower {
                    state.image.lose_unsynced_names(path)?;
                }
                Err(fault.error())
            }
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.simple(OperationKind::List, path, |image| {
            let entries = image.entries(path)?;
            Ok(entries
                .into_iter()
                .map(|(name, node)| DirEntry {
                    name,
                    is_dir: image.is_dir(node),
                    len: image.file(node).map_or(0, |file| file.live().len()),
                })
                .collect())
        })
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.simple(OperationKind::Open, path, |image| {
            Ok(image.find(path)?.is_some())
        })
    }

    /// There are no links on this disk, and no working directory.
    fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn free_bytes(&self, path: &Path) -> io::Result<Space> {
        self.simple(OperationKind::List, path, |image| image.get(path))?;
        let state = self.disk.state();
        Ok(Space {
            free: state.free(),
            total: state.capacity,
        })
    }

    fn lock_exclusive(&self, path: &Path) -> io::Result<Box<dyn FileLock>> {
        let node = self.simple(OperationKind::Lock, path, |image| {
            match image.find(path)? {
                Some(_) => image.get_file(path),
                None => image.create_file(path, FileData::default()),
            }
        })?;
        if !self.disk.state().locked.insert(node) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock {
            disk: self.disk.clone(),
            boot: self.boot,
            node,
        }))
    }
}

struct SimLock {
    disk: SimDisk,
    boot: u64,
    node: NodeId,
}

impl FileLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot {
            state.locked.remove(&self.node);
        }
    }
}

struct SimFile {
    disk: SimDisk,
    boot: u64,
    path: PathBuf,
    node: NodeId,
    writable: bool,
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable {
            return Ok(());
        }
        Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("{} was opened for reading only", self.path.display()),
        ))
    }

    fn sync(&self, kind: OperationKind) -> io::Result<()> {
        let mut state = self.disk.state();
        let fault = state.begin(self.boot, kind, &self.path)?;
        let data = state.image.file_mut(self.node)?;
        match fault {
            None => {
                data.sync();
                Ok(())
            }
            Some(Fault::CutPower) => Err(Fault::CutPower.error()),
            Some(fault) => {
                data.lose_unsynced();
                Err(fault.error())
            }
        }
    }
}

impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        let node = self.node;
        self.disk
            .state()
            .simple(self.boot, OperationKind::Open, &self.path, |image| {
                Ok(image.file(node)?.live().len())
            })
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let node = self.node;
        let complete =
            self.disk
                .state()
                .simple(self.boot, OperationKind::Read, &self.path, |image| {
                    Ok(image.file(node)?.live().read(buf, offset))
                })?;
        if complete {
            Ok(())
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let len = self.len()?.saturating_sub(offset);
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(buf.len());
        self.read_exact_at(&mut buf[..len], offset)?;
        Ok(len)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.disk.state();
        let fault = state.begin(self.boot, OperationKind::Write, &self.path)?;
        let free = state.free();
        let data = state.image.file_mut(self.node)?;
        let fitting = data.fitting(buf.len(), offset, free);
        let (written, error) = match fault {
            None if fitting < buf.len() => (fitting, Some(Fault::Full)),
            None => (buf.len(), None),
            // In flight: the crash decides which sectors of it arrived.
            Some(Fault::CutPower) => (fitting, fault),
            Some(Fault::ShortWrite(bytes)) => (bytes.min(fitting), fault),
            Some(Fault::Io | Fault::Full) => (0, fault),
        };
        if written > 0 {
            data.write(&buf[..written], offset);
        }
        error.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync(OperationKind::SyncData)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync(OperationKind::SyncAll)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let node = self.node;
        self.disk
            .state()
            .simple(self.boot, OperationKind::SetLen, &self.path, |image| {
                image.file_mut(node)?.set_len(len);
                Ok(())
            })
    }

    fn preallocate(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.disk.state();
        let free = state.free();
        let node = self.node;
        state.simple(self.boot, OperationKind::Preallocate, &self.path, |image| {
            let data = image.file_mut(node)?;
            if len.saturating_sub(data.allocated()) > free {
                return Err(Fault::Full.error());
            }
            data.preallocate(len);
            Ok(())
        })
    }
}
