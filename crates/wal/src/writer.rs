//! Puts records into segments. It blocks, and it knows nothing of who waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use host::{File, Host};

use crate::error::WalError;
use crate::frame::{Placement, SEGMENT_HEADER_BYTES, SegmentHeader, encode_record, record_len};
use crate::options::Durability;
use crate::record::NewRecord;
use crate::recover::{SegmentInfo, UNFINISHED_NAME, segment_path};

/// A buffer that one large group has grown is given back beyond this size.
const KEEP_BUFFER_BYTES: usize = 16 << 20;

pub(crate) struct Writer {
    host: Host,
    dir: PathBuf,
    epoch: u64,
    segment_bytes: u64,
    durability: Durability,
    /// Created by the first record: opening a log needs no room on the disk.
    segment: Option<Segment>,
    last_seq: u64,
    /// All records before this one are synced.
    unsynced_from: u64,
    staged: Vec<u8>,
    staged_last_seq: u64,
    /// Whether the next record begins a segment, whatever room is left.
    segment_ended: bool,
}

struct Segment {
    file: Arc<dyn File>,
    path: PathBuf,
    header: SegmentHeader,
    end: u64,
    size: u64,
}

/// A group is in the log.
pub(crate) struct Written {
    pub(crate) bytes: usize,
    /// How long its sync took, if it was synced.
    pub(crate) sync: Option<Duration>,
}

impl Writer {
    pub(crate) fn new(
        host: Host,
        dir: &Path,
        epoch: u64,
        segment_bytes: u64,
        durability: Durability,
        last_seq: u64,
    ) -> Self {
        Self {
            host,
            dir: dir.to_owned(),
            epoch,
            segment_bytes,
            durability,
            segment: None,
            last_seq,
            unsynced_from: last_seq + 1,
            staged: Vec::new(),
            staged_last_seq: last_seq,
            segment_ended: false,
        }
    }

    /// Whether the record fits behind what is staged.
    pub(crate) fn has_room(&self, record: &NewRecord) -> bool {
        let segment = self.segment.as_ref().filter(|_| !self.segment_ended);
        segment.is_some_and(|segment| {
            let needed = (self.staged.len() + record_len(record)) as u64;
            needed <= segment.size - segment.end
        })
    }

    /// The next record begins a segment.
    pub(crate) fn end_segment(&mut self) {
        self.segment_ended = true;
    }

    /// Begins the segment whose first record is `seq`. Nothing is staged. An error for want of
    /// room leaves everything as it was.
    pub(crate) fn begin_segment(
        &mut self,
        seq: u64,
        record: &NewRecord,
    ) -> Result<SegmentInfo, WalError> {
        self.sync_segment()?;
        let needed = (SEGMENT_HEADER_BYTES + record_len(record)) as u64;
        let header = SegmentHeader {
            epoch: self.epoch,
            first_seq: seq,
            prev_seq: self.last_seq,
            salt: self.host.random.next_u64() as u32,
        };
        let segment = self.create(header, needed.max(self.segment_bytes))?;
        if let Some(full) = &self.segment {
            // Gives reserved room back. It need not survive a crash: zeros are an end too.
            full.file
                .set_len(full.end)
                .map_err(WalError::io("cut", &full.path))?;
        }
        let info = SegmentInfo {
            path: segment.path.clone(),
            first_seq: seq,
            prev_seq: self.last_seq,
            last_seq: self.last_seq,
            bytes: segment.end,
        };
        self.segment = Some(segment);
        self.segment_ended = false;
        self.unsynced_from = seq;
        Ok(info)
    }

    /// Only the last segment may end in bytes that were never synced: what is in this one becomes
    /// durable before the next begins.
    fn sync_segment(&mut self) -> Result<(), WalError> {
        if let Some(segment) = &self.segment
            && self.unsynced_from <= self.last_seq
        {
            segment
                .file
                .sync_data()
                .map_err(WalError::io("sync", &segment.path))?;
            self.unsynced_from = self.last_seq + 1;
        }
        Ok(())
    }

    /// Makes a segment under another name and renames it when it is durable: one that bears a
    /// segment's name has a good header, or is damaged.
    fn create(&self, header: SegmentHeader, size: u64) -> Result<Segment, WalError> {
        let files = &*self.host.files;
        let unfinished = self.dir.join(UNFINISHED_NAME);
        let path = segment_path(&self.dir, header.first_seq);
        let reserved = self.reserve(&unfinished, &header, size);
        let file = match reserved {
            Ok(file) => file,
            Err(error) => {
                // It may not exist; what is left is removed when the log is opened.
                let _ = files.remove_file(&unfinished);
                return Err(error);
            }
        };
        file.sync_all().map_err(WalError::io("sync", &unfinished))?;
        files
            .rename(&unfinished, &path)
            .map_err(WalError::io("rename", &unfinished))?;
        files
            .sync_dir(&self.dir)
            .map_err(WalError::io("sync", &self.dir))?;
        Ok(Segment {
            file,
            path,
            header,
            end: SEGMENT_HEADER_BYTES as u64,
            size,
        })
    }

    fn reserve(
        &self,
        path: &Path,
        header: &SegmentHeader,
        size: u64,
    ) -> Result<Arc<dyn File>, WalError> {
        let file = self
            .host
            .files
            .create_new(path)
            .map_err(WalError::io("create", path))?;
        file.preallocate(size)
            .map_err(WalError::io("reserve room for", path))?;
        file.write_all_at(&header.encode(), 0)
            .map_err(WalError::io("write", path))?;
        Ok(file)
    }

    /// Puts the record into the group that is written next. [`has_room`](Self::has_room) said yes.
    pub(crate) fn stage(&mut self, seq: u64, record: &NewRecord) {
        let Some(segment) = &self.segment else { return };
        let placement = Placement {
            epoch: self.epoch,
            seq,
            group_seq: self.unsynced_from,
            salt: segment.header.salt,
        };
        encode_record(record, placement, &mut self.staged);
        self.staged_last_seq = seq;
    }

    /// Writes what is staged in one go and, as the durability asks, syncs it. After an error the
    /// writer must not be used again.
    pub(crate) fn write_staged(&mut self) -> Result<Written, WalError> {
        let bytes = self.staged.len();
        if let Some(segment) = &mut self.segment {
            segment
                .file
                .write_all_at(&self.staged, segment.end)
                .map_err(WalError::io("write", &segment.path))?;
            segment.end += bytes as u64;
        }
        self.last_seq = self.staged_last_seq;
        self.staged.clear();
        if self.staged.capacity() > KEEP_BUFFER_BYTES {
            self.staged = Vec::new();
        }
        let sync = match (&self.segment, self.durability) {
            (Some(segment), Durability::Sync) => {
                let started = self.host.clock.monotonic();
                segment
                    .file
                    .sync_data()
                    .map_err(WalError::io("sync", &segment.path))?;
                self.unsynced_from = self.last_seq + 1;
                Some(self.host.clock.monotonic().saturating_sub(started))
            }
            _ => None,
        };
        Ok(Written { bytes, sync })
    }
}
