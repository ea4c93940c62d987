//! Reads one segment, a record at a time, and judges what is no record.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use host::{File, Files};

use crate::error::WalError;
use crate::frame::{
    BadSegmentHeader, FORMAT_VERSION, RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader,
    SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::record::{PayloadCodec, Position, Record, RecordKind};

/// How much is read at once, but for longer payloads.
const WINDOW_BYTES: u64 = 256 << 10;

/// What stands where the next record belongs.
pub(crate) enum Step {
    Record(Found),
    /// The file ends here, or zeros begin.
    End,
    /// Something that is no record; why it is none.
    Bad(String),
}

pub(crate) struct Found {
    pub(crate) record: Record,
    pub(crate) group_seq: u64,
}

/// What is in a segment beyond the last good record.
pub(crate) struct Tail {
    /// Offset and number of a record that was written after the missing one had been synced.
    pub(crate) later_group: Option<(u64, u64)>,
    /// Where the last byte that is not zero ends.
    pub(crate) end: u64,
}

pub(crate) struct SegmentReader {
    path: PathBuf,
    header: SegmentHeader,
    file: Arc<dyn File>,
    file_len: u64,
    /// A part of the file, from `window_at`.
    window: Vec<u8>,
    window_at: u64,
    offset: u64,
    next_seq: u64,
}

impl SegmentReader {
    /// Opens the segment that its name says begins with `first_seq`.
    pub(crate) fn open(files: &dyn Files, path: &Path, first_seq: u64) -> Result<Self, WalError> {
        let file = files.open(path).map_err(WalError::io("open", path))?;
        let file_len = file.len().map_err(WalError::io("read", path))?;
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let damaged = |reason: String| WalError::Damaged {
            path: path.to_owned(),
            offset: 0,
            seq: first_seq,
            reason,
        };
        if file_len < SEGMENT_HEADER_BYTES as u64 {
            return Err(damaged(format!(
                "the file has {file_len} bytes, too few for a segment header"
            )));
        }
        file.read_exact_at(&mut bytes, 0)
            .map_err(WalError::io("read", path))?;
        let header = SegmentHeader::decode(&bytes).map_err(|bad| match bad {
            BadSegmentHeader::Magic => damaged("the segment header has no magic".to_owned()),
            BadSegmentHeader::Checksum => {
                damaged("the segment header's checksum is wrong".to_owned())
            }
            BadSegmentHeader::Version(found) => WalError::UnknownFormat {
                path: path.to_owned(),
                offset: 4,
                what: "segment format version",
                found,
            },
        })?;
        if header.first_seq != first_seq {
            return Err(damaged(format!(
                "the segment header says that it begins with record {}; was the file renamed?",
                header.first_seq
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            file,
            file_len,
            window: Vec::new(),
            window_at: 0,
            offset: SEGMENT_HEADER_BYTES as u64,
            next_seq: first_seq,
        })
    }

    /// The same place in the file as it is now, where somebody may have written on since it was opened.
    pub(crate) fn reopened(&self, files: &dyn Files) -> Result<Self, WalError> {
        let mut fresh = Self::open(files, &self.path, self.header.first_seq)?;
        fresh.offset = self.offset;
        fresh.next_seq = self.next_seq;
        if fresh.header != self.header || fresh.file_len < fresh.offset {
            return Err(self.damaged("the segment was replaced while it was read".to_owned()));
        }
        Ok(fresh)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file_len(&self) -> u64 {
        self.file_len
    }

    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Where the next record belongs.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number that it should have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(crate) fn damaged(&self, reason: String) -> WalError {
        WalError::Damaged {
            path: self.path.clone(),
            offset: self.offset,
            seq: self.next_seq,
            reason,
        }
    }

    /// Reads on by one record. It stays where it is at anything else.
    pub(crate) fn next(&mut self) -> Result<Step, WalError> {
        let left = self.file_len - self.offset;
        let mut bytes = [0; RECORD_HEADER_BYTES];
        let present = left.min(RECORD_HEADER_BYTES as u64) as usize;
        self.read(&mut bytes[..present], self.offset)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Step::End);
        }
        if present < RECORD_HEADER_BYTES {
            return Ok(Step::Bad(
                "the file ends within the record's header".to_owned(),
            ));
        }
        let Some(header) = RecordHeader::decode(&bytes, self.header.salt) else {
            return Ok(Step::Bad(
                "the record's header fails its checksum".to_owned(),
            ));
        };
        let (kind, codec) = self.known(&header)?;
        if header.epoch != self.header.epoch || header.seq != self.next_seq {
            return Ok(Step::Bad(format!(
                "there is record {} of epoch {} instead",
                header.seq, header.epoch
            )));
        }
        if header.body_len() > left - RECORD_HEADER_BYTES as u64 {
            return Ok(Step::Bad("the file ends within the record".to_owned()));
        }
        let mut body = vec![0; header.body_len() as usize];
        self.read(&mut body, self.offset + RECORD_HEADER_BYTES as u64)?;
        if !header.matches(&bytes, &body, self.header.salt) {
            return Ok(Step::Bad("the record fails its checksum".to_owned()));
        }
        let body = Bytes::from(body);
        let tenant_len = usize::from(header.tenant_len);
        let Ok(tenant) = std::str::from_utf8(&body[..tenant_len]) else {
            return Ok(Step::Bad("the record's tenant is not UTF-8".to_owned()));
        };
        let record = Record {
            kind,
            codec,
            tenant: Arc::from(tenant),
            epoch: header.epoch,
            seq: header.seq,
            arrived_unix_nano: header.arrived_unix_nano,
            payload: body.slice(tenant_len..),
            position: Position {
                segment: self.header.first_seq,
                offset: self.offset,
            },
        };
        self.offset += RECORD_HEADER_BYTES as u64 + header.body_len();
        self.next_seq += 1;
        Ok(Step::Record(Found {
            record,
            group_seq: header.group_seq,
        }))
    }

    /// Looks through the rest of the file, at every offset, for a record that proves that the next
    /// one had been synced: one that was written when all before it, the next one
    /// included, had been.
    pub(crate) fn tail(&mut self) -> Result<Tail, WalError> {
        let mut tail = Tail {
            later_group: None,
            end: self.offset,
        };
        let mut at = self.offset;
        let mut window = Vec::new();
        // Reserved room is zeros; comparing it is much faster than looking at each byte.
        let zeros = vec![0; WINDOW_BYTES as usize];
        while at < self.file_len {
            window.resize((self.file_len - at).min(WINDOW_BYTES) as usize, 0);
            self.read(&mut window, at)?;
            if window[..] != zeros[..window.len()] {
                let used = window.iter().rposition(|byte| *byte != 0);
                tail.end = at + used.map_or(0, |last| last as u64 + 1);
                tail.later_group = self.later_group(&window, at);
            }
            if tail.later_group.is_some() || at + window.len() as u64 == self.file_len {
                break;
            }
            // A header may lie across two windows.
            at += window.len() as u64 - (RECORD_HEADER_BYTES as u64 - 1);
        }
        Ok(tail)
    }

    fn later_group(&self, window: &[u8], at: u64) -> Option<(u64, u64)> {
        window
            .windows(RECORD_HEADER_BYTES)
            .enumerate()
            .filter(|(_, bytes)| bytes[0] == RECORD_MAGIC[0] && bytes.starts_with(&RECORD_MAGIC))
            .find_map(|(index, bytes)| {
                let bytes: &[u8; RECORD_HEADER_BYTES] = bytes.try_into().ok()?;
                let header = RecordHeader::decode(bytes, self.header.salt)?;
                (header.epoch == self.header.epoch && header.group_seq > self.next_seq)
                    .then_some((at + index as u64, header.seq))
            })
    }

    /// A header with a right checksum that we do not understand comes from another version: it is
    /// refused by name, never cut as torn.
    fn known(&self, header: &RecordHeader) -> Result<(RecordKind, PayloadCodec), WalError> {
        let unknown = |what, found: u8| WalError::UnknownFormat {
            path: self.path.clone(),
            offset: self.offset,
            what,
            found: u16::from(found),
        };
        if u16::from(header.version) != FORMAT_VERSION {
            return Err(unknown("record format version", header.version));
        }
        let kind = RecordKind::from_byte(header.kind)
            .ok_or_else(|| unknown("record kind", header.kind))?;
        let codec = PayloadCodec::from_byte(header.codec)
            .ok_or_else(|| unknown("payload codec", header.codec))?;
        Ok((kind, codec))
    }

    fn read(&mut self, buf: &mut [u8], offset: u64) -> Result<(), WalError> {
        self.fill(buf, offset)
            .map_err(WalError::io("read", &self.path))
    }

    /// Fills `buf`, which lies within the file, through the window.
    fn fill(&mut self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let window_end = self.window_at + self.window.len() as u64;
        let mut done = 0;
        if (self.window_at..window_end).contains(&offset) {
            let ready = &self.window[(offset - self.window_at) as usize..];
            done = ready.len().min(buf.len());
            buf[..done].copy_from_slice(&ready[..done]);
        }
        let rest = &mut buf[done..];
        if rest.is_empty() {
            return Ok(());
        }
        let offset = offset + done as u64;
        if rest.len() as u64 >= WINDOW_BYTES {
            return self.file.read_exact_at(rest, offset);
        }
        let len = (self.file_len - offset).min(WINDOW_BYTES);
        self.window.resize(len as usize, 0);
        self.window_at = offset;
        if let Err(error) = self.file.read_exact_at(&mut self.window, offset) {
            self.window.clear();
            return Err(error);
        }
        rest.copy_from_slice(&self.window[..rest.len()]);
        Ok(())
    }
}
