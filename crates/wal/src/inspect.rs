//! Reads a log that somebody else may be writing, and changes nothing: for checks and backups.
//!
//! What is read of a file that grows is of different instants. So what looks like a bad record is looked at again after there is evidence against it
//! (a record that was written when the bad one had been synced): only then must it be good.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host::Files;

use crate::error::WalError;
use crate::reader::{SegmentReader, Step};
use crate::record::Record;
use crate::recover::{UNFINISHED_NAME, first_seq_of, segment_path};
use crate::replay::TornTail;

/// What is in a log's folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentNames {
    /// The first record of each segment, ascending.
    pub first_seqs: Vec<u64>,
    /// Files that are no segments and are ignored. One that is being made is not among them.
    pub others: Vec<PathBuf>,
}

impl SegmentNames {
    /// Lists a folder.
    pub fn list(files: &dyn Files, dir: &Path) -> Result<Self, WalError> {
        let mut names = Self::default();
        for entry in files.list(dir).map_err(WalError::io("list", dir))? {
            let path = dir.join(&entry.name);
            match first_seq_of(&path, &entry.name)? {
                Some(first_seq) => names.first_seqs.push(first_seq),
                None if entry.name == UNFINISHED_NAME => {}
                None => names.others.push(path),
            }
        }
        Ok(names)
    }
}

/// What comes next in a segment.
#[derive(Debug)]
pub enum Inspected {
    /// A whole record.
    Record(Record),
    /// There is nothing more.
    End,
    /// There are bytes, and they are no record. If this is the log's end, a writer is at work or a restart cuts them; anywhere else it is damage.
    Torn(TornTail),
}

/// Reads one segment from its beginning.
pub struct SegmentInspector {
    files: Arc<dyn Files>,
    reader: SegmentReader,
}

impl SegmentInspector {
    /// Opens the segment of a folder that begins with the record `first_seq`.
    pub fn open(files: &Arc<dyn Files>, dir: &Path, first_seq: u64) -> Result<Self, WalError> {
        let path = segment_path(dir, first_seq);
        Ok(Self {
            files: Arc::clone(files),
            reader: SegmentReader::open(&**files, &path, first_seq)?,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.reader.path()
    }

    /// The epoch of the writer that made it.
    pub fn epoch(&self) -> u64 {
        self.reader.header().epoch
    }

    /// The number in its name.
    pub fn first_seq(&self) -> u64 {
        self.reader.header().first_seq
    }

    /// The last record before it, as its header says; 0 when there is none.
    pub fn prev_seq(&self) -> u64 {
        self.reader.header().prev_seq
    }

    /// The last record that was read, or the last before the segment.
    pub fn last_seq(&self) -> u64 {
        if self.reader.next_seq() == self.first_seq() {
            self.prev_seq()
        } else {
            self.reader.next_seq() - 1
        }
    }

    /// Where the last record that was read ends: header and records.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// An error at this place.
    pub fn damaged(&self, reason: String) -> WalError {
        self.reader.damaged(reason)
    }

    /// Reads on. After [`Inspected::End`] and [`Inspected::Torn`] it may be asked again: there may be more by then.
    pub fn read_next(&mut self) -> Result<Inspected, WalError> {
        let mut is_disproved = false;
        loop {
            let reason = match self.reader.next() {
                Ok(Step::Record(found)) => return Ok(Inspected::Record(found.record)),
                Ok(Step::End) => "there is nothing".to_owned(),
                Ok(Step::Bad(reason)) => reason,
                // The reserved room was given back after the file was opened.
                Err(WalError::Io { source, .. })
                    if source.kind() == ErrorKind::UnexpectedEof
                        && self.has_another_length()? =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let tail = match self.reader.tail() {
                Err(WalError::Io { source, .. })
                    if source.kind() == ErrorKind::UnexpectedEof
                        && self.has_another_length()? =>
                {
                    continue;
                }
                tail => tail?,
            };
            match tail.later_group {
                Some((offset, seq)) if is_disproved => {
                    return Err(self.damaged(format!(
                        "{reason}, and record {seq} at offset {offset} was written after it had been synced"
                    )));
                }
                Some(_) => is_disproved = true,
                None if tail.end > self.offset() => {
                    return Ok(Inspected::Torn(TornTail {
                        path: self.path().to_owned(),
                        offset: self.offset(),
                        bytes: tail.end - self.offset(),
                        seq: self.reader.next_seq(),
                        reason,
                    }));
                }
                None => return Ok(Inspected::End),
            }
            self.reader = self.reader.reopened(&*self.files)?;
        }
    }

    /// Looks at the file again; whether its length changed meanwhile.
    fn has_another_length(&mut self) -> Result<bool, WalError> {
        let before = self.reader.file_len();
        self.reader = self.reader.reopened(&*self.files)?;
        Ok(self.reader.file_len() != before)
    }
}

impl std::fmt::Debug for SegmentInspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentInspector")
            .field("path", &self.path())
            .field("offset", &self.offset())
            .finish_non_exhaustive()
    }
}
