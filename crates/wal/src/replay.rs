//! Records come out of the log in the order in which they went in.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use host::Files;

use crate::error::WalError;
use crate::reader::{SegmentReader, Step};
use crate::record::Record;
use crate::recover::SegmentInfo;

/// What the log held when it was opened.
pub struct Replay {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) dir: PathBuf,
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) torn: Option<TornTail>,
}

/// The end of the log was no whole record, as a crash during a write leaves it, and was cut.
/// Nothing of it had been acknowledged, unless the disk itself lost what it had confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub path: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes were cut, reserved room not counted.
    pub bytes: u64,
    /// The record that would have been next.
    pub seq: u64,
    /// Why it is none.
    pub reason: String,
}

impl Replay {
    /// The records from `seq` on, up to the last that was there when the log was opened. One
    /// record is in memory at a time; segments that hold only older ones are not read. After an
    /// error there is nothing more.
    pub fn read_from(&self, seq: u64) -> Records {
        let seq = seq.max(1);
        let oldest = self.segments.first();
        let missing = oldest
            .filter(|oldest| seq <= oldest.prev_seq)
            .map(|oldest| WalError::Missing {
                dir: self.dir.clone(),
                wanted: seq,
                gone: oldest.prev_seq,
            });
        let segments = self
            .segments
            .iter()
            .filter(|segment| segment.last_seq >= seq.max(segment.first_seq))
            .cloned()
            .collect();
        Records {
            files: Arc::clone(&self.files),
            from: seq,
            segments,
            current: None,
            failure: missing,
        }
    }

    /// The last record, or 0 when there never was one.
    pub fn last_seq(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.last_seq)
    }

    /// What was cut off the end, for the operator's eyes.
    pub fn torn_tail(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay")
            .field("dir", &self.dir)
            .field("segments", &self.segments)
            .field("torn", &self.torn)
            .finish_non_exhaustive()
    }
}

/// Iterator over the records of a [`Replay`].
pub struct Records {
    files: Arc<dyn Files>,
    from: u64,
    segments: VecDeque<SegmentInfo>,
    /// The segment that is being read, and its last record.
    current: Option<(SegmentReader, u64)>,
    /// To be yielded first.
    failure: Option<WalError>,
}

impl Records {
    fn read(&mut self) -> Result<Option<Record>, WalError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        loop {
            let Some((reader, last_seq)) = &mut self.current else {
                let Some(segment) = self.segments.pop_front() else {
                    return Ok(None);
                };
                let reader = SegmentReader::open(&*self.files, &segment.path, segment.first_seq)?;
                self.current = Some((reader, segment.last_seq));
                continue;
            };
            if reader.next_seq() > *last_seq {
                self.current = None;
                continue;
            }
            match reader.next()? {
                Step::Record(found) if found.record.seq < self.from => {}
                Step::Record(found) => return Ok(Some(found.record)),
                Step::End => {
                    return Err(reader.damaged(format!(
                        "there is nothing, but the log goes on to record {last_seq} here"
                    )));
                }
                Step::Bad(reason) => return Err(reader.damaged(reason)),
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, WalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.read().transpose();
        if matches!(item, Some(Err(_))) {
            self.segments.clear();
            self.current = None;
        }
        item
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("from", &self.from)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}
