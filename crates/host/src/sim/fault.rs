//! What can go wrong on a simulated disk, and when.

use std::io;
use std::path::Path;

use rustix::io::Errno;

/// What the disk holds after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Only the process ended (`kill -9`): all that it wrote is there, synced or not.
    KeepAll,
    /// The power went, and nothing that was not synced had reached the disk.
    DropUnsynced,
    /// The power went while the kernel was writing: of what was not synced, any sectors, lengths
    /// and names may be there, in any order, as the seed decides.
    Torn,
}

/// A call on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum OperationKind {
    CreateNew,
    Open,
    LinkNew,
    Rename,
    RemoveFile,
    RemoveDir,
    CreateDir,
    SyncDir,
    List,
    Lock,
    Read,
    Write,
    SyncData,
    SyncAll,
    SetLen,
    Preallocate,
}

impl OperationKind {
    /// Whether it changes the disk. Those are counted, and a planned power cut waits for one.
    pub fn is_change(self) -> bool {
        !matches!(self, Self::Open | Self::List | Self::Read)
    }
}

/// A call on the disk, as a policy sees it before it happens.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Which call.
    pub kind: OperationKind,
    /// The file or folder; the first one of two, and of an open file the name that it was opened by.
    pub path: &'a Path,
    /// How many changes happened before it.
    pub number: u64,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The device fails (`EIO`). After a failed sync what it should have written still reads as
    /// written, but no later sync writes it: only a [`Crash`] shows what the disk got.
    Io,
    /// The disk is full (`ENOSPC`).
    Full,
    /// A write stops after so many bytes, with `EIO`.
    ShortWrite(usize),
    /// The power goes: the call is in flight and fails, as does every later one until
    /// [`SimHost::crash`](super::SimHost::crash).
    CutPower,
}

impl Fault {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Io | Self::ShortWrite(_) => Errno::IO.into(),
            Self::Full => Errno::NOSPC.into(),
            Self::CutPower => power_is_off(),
        }
    }
}

pub(super) fn power_is_off() -> io::Error {
    io::Error::other("the simulated power is off")
}
