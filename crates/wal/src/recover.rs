//! What a log folder holds when it is opened, and the one repair that is made then: a torn tail is
//! cut.

use std::path::{Path, PathBuf};

use host::{Files, Host};

use crate::error::WalError;
use crate::frame::SEGMENT_HEADER_BYTES;
use crate::reader::{SegmentReader, Step};
use crate::replay::TornTail;

const SEGMENT_SUFFIX: &str = ".wal";

/// A segment is made under this name and renamed when it is whole.
pub(crate) const UNFINISHED_NAME: &str = "segment.tmp";

/// How much of the last group is read and written back at once.
const REWRITE_BYTES: u64 = 1 << 20;

/// A segment on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    pub(crate) path: PathBuf,
    pub(crate) first_seq: u64,
    /// The last record before it.
    pub(crate) prev_seq: u64,
    /// Its last record, or `prev_seq` when it has none.
    pub(crate) last_seq: u64,
    /// Header and records.
    pub(crate) bytes: u64,
}

pub(crate) struct Recovered {
    pub(crate) segments: Vec<SegmentInfo>,
    pub(crate) torn: Option<TornTail>,
}

pub(crate) fn segment_path(dir: &Path, first_seq: u64) -> PathBuf {
    dir.join(format!("{first_seq:020}{SEGMENT_SUFFIX}"))
}

pub(crate) fn recover(host: &Host, dir: &Path, epoch: u64) -> Result<Recovered, WalError> {
    let files = &*host.files;
    files
        .create_dir_all(dir)
        .map_err(WalError::io("create", dir))?;
    let mut readers = Vec::new();
    for first_seq in first_seqs(files, dir)? {
        let path = segment_path(dir, first_seq);
        let reader = SegmentReader::open(files, &path, first_seq)?;
        let found = reader.header().epoch;
        if found > epoch {
            let ours = epoch;
            return Err(WalError::StaleEpoch { path, found, ours });
        }
        readers.push((path, reader));
    }

    let mut segments = Vec::new();
    for ((path, reader), (_, next)) in readers.iter().zip(readers.iter().skip(1)) {
        segments.push(sealed_segment(files, path, reader, next)?);
    }
    let mut torn = None;
    if let Some((path, mut last)) = readers.pop() {
        let read = read_last(&path, &mut last)?;
        make_durable(files, &path, &read)?;
        torn = read.torn;
        segments.push(SegmentInfo {
            path,
            first_seq: last.header().first_seq,
            prev_seq: last.header().prev_seq,
            last_seq: read.last_seq,
            bytes: read.end,
        });
    }
    Ok(Recovered { segments, torn })
}

/// The segments by their first records, in order. What is left of one that was never finished is
/// removed; files of other names are none of ours.
fn first_seqs(files: &dyn Files, dir: &Path) -> Result<Vec<u64>, WalError> {
    let mut first_seqs = Vec::new();
    for entry in files.list(dir).map_err(WalError::io("list", dir))? {
        let path = dir.join(&entry.name);
        if entry.name == UNFINISHED_NAME {
            files
                .remove_file(&path)
                .map_err(WalError::io("remove", &path))?;
        } else if let Some(first_seq) = first_seq_of(&path, &entry.name)? {
            first_seqs.push(first_seq);
        }
    }
    Ok(first_seqs)
}

/// The first record of the segment with this name; `None` for a file of another kind.
pub(crate) fn first_seq_of(path: &Path, name: &str) -> Result<Option<u64>, WalError> {
    let Some(number) = name.strip_suffix(SEGMENT_SUFFIX) else {
        return Ok(None);
    };
    // Only the name that we would give: no signs, no fewer digits.
    match number.parse() {
        Ok(first_seq) if format!("{first_seq:020}") == number => Ok(Some(first_seq)),
        _ => Err(WalError::Damaged {
            path: path.to_owned(),
            offset: 0,
            seq: 0,
            reason: "the file's name is not that of a log segment".to_owned(),
        }),
    }
}

/// A segment that has a successor: that one says which record was the last before it.
fn sealed_segment(
    files: &dyn Files,
    path: &Path,
    reader: &SegmentReader,
    next: &SegmentReader,
) -> Result<SegmentInfo, WalError> {
    let (header, last_seq) = (reader.header(), next.header().prev_seq);
    let is_empty = last_seq == header.prev_seq;
    if !is_empty && last_seq < header.first_seq {
        return Err(reader.damaged(format!(
            "the next segment says that record {last_seq} was the last before it"
        )));
    }
    let bytes = files
        .open(path)
        .and_then(|file| file.len())
        .map_err(WalError::io("read", path))?;
    Ok(SegmentInfo {
        path: path.to_owned(),
        first_seq: header.first_seq,
        prev_seq: header.prev_seq,
        last_seq,
        bytes,
    })
}

struct LastSegment {
    last_seq: u64,
    /// Where the last group begins.
    group_at: u64,
    /// Where the last record ends.
    end: u64,
    torn: Option<TornTail>,
}

/// Reads the last segment to its end, and tells a tail that was never acknowledged from damage: a
/// group is written only after the one before it was synced. So when a
/// later group left a trace, the bad record had been durable; otherwise it belongs to the last
/// group, and that one was not acknowledged or there would be nothing wrong with it.
fn read_last(path: &Path, reader: &mut SegmentReader) -> Result<LastSegment, WalError> {
    let mut read = LastSegment {
        last_seq: reader.header().prev_seq,
        group_at: SEGMENT_HEADER_BYTES as u64,
        end: SEGMENT_HEADER_BYTES as u64,
        torn: None,
    };
    let mut group_seq = 0;
    let reason = loop {
        match reader.next()? {
            Step::Record(found) => {
                if found.group_seq != group_seq {
                    group_seq = found.group_seq;
                    read.group_at = found.record.position.offset;
                }
                read.last_seq = found.record.seq;
                read.end = reader.offset();
            }
            Step::End => break "there is nothing".to_owned(),
            Step::Bad(reason) => break reason,
        }
    };
    let tail = reader.tail()?;
    if let Some((offset, seq)) = tail.later_group {
        return Err(reader.damaged(format!(
            "{reason}, and record {seq} at offset {offset} was written after it had been synced"
        )));
    }
    if tail.end > read.end {
        read.torn = Some(TornTail {
            path: path.to_owned(),
            offset: read.end,
            bytes: tail.end - read.end,
            seq: reader.next_seq(),
            reason,
        });
    }
    Ok(read)
}

/// Cuts what is no record, and makes durable what is: the last group may never have been synced. It
/// is written again first, because after a failed sync the kernel can hold pages that read well,
/// count as clean, and are not on the disk. The file's name was synced before its first record.
fn make_durable(files: &dyn Files, path: &Path, read: &LastSegment) -> Result<(), WalError> {
    let file = files
        .open_write(path)
        .map_err(WalError::io("open for writing", path))?;
    let mut chunk = Vec::new();
    let mut at = read.group_at;
    while at < read.end {
        chunk.resize((read.end - at).min(REWRITE_BYTES) as usize, 0);
        file.read_exact_at(&mut chunk, at)
            .map_err(WalError::io("read", path))?;
        file.write_all_at(&chunk, at)
            .map_err(WalError::io("write", path))?;
        at += chunk.len() as u64;
    }
    file.set_len(read.end).map_err(WalError::io("cut", path))?;
    file.sync_all().map_err(WalError::io("sync", path))
}
