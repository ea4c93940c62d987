//! The directory of a zip archive, read strictly (APPNOTE.TXT 6.3.10 of PKWARE).
//!
//! Why not a crate: those that are kept up read the whole directory before the caller can refuse it, take the last of two
//! entries with one name, and let entries overlap. Half a gigabyte of directory entries would be four in memory.

use std::collections::BTreeMap;

use super::error::{BundleError, cut};
use super::source::ReadAt;
use crate::options::BundleLimits;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_LEN: u64 = 22;
const MAX_COMMENT: u64 = u16::MAX as u64;
const END64_LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const END64_LOCATOR_LEN: u64 = 20;
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const END64_LEN: u64 = 56;
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
pub(super) const LOCAL_LEN: u64 = 30;

/// Size of an entry's fixed part with name, extra field and comment at their largest.
const MAX_CENTRAL_LEN: usize = CENTRAL_LEN + 3 * u16::MAX as usize;
/// Extra field with the numbers that did not fit into 32 bits.
const ZIP64_EXTRA: u16 = 1;
pub(super) const TOO_LARGE_FOR_32: u64 = u32::MAX as u64;

const FLAG_ENCRYPTED: u16 = 1;
const FLAG_STRONG_ENCRYPTION: u16 = 1 << 6;
const FLAG_MASKED: u16 = 1 << 13;
pub(super) const FLAGS_OF_SECRETS: u16 = FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED;

const UNIX_TYPE: u32 = 0o170_000;
const UNIX_SYMLINK: u32 = 0o120_000;

/// One entry of the directory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed_len: u64,
    pub(super) len: u64,
    /// Where its local header is, from the first byte of the bundle.
    pub(super) offset: u64,
    /// Its bytes end here at the latest: another entry, or the directory, begins.
    pub(super) end: u64,
}

/// The entries of an archive.
pub(super) struct Archive {
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Reads the directory of the archive that begins after `header_len` bytes of `source`.
    pub(super) fn read<S: ReadAt + ?Sized>(
        source: &S,
        header_len: u64,
        limits: &BundleLimits,
    ) -> Result<Self, BundleError> {
        let end = End::find(source, header_len)?;
        if end.entries > limits.entries {
            return Err(BundleError::TooManyEntries {
                found: end.entries,
                limit: limits.entries,
            });
        }
        let mut entries = read_directory(source, &end)?;
        entries.sort_unstable_by_key(|entry| entry.offset);
        for index in 0..entries.len() {
            let next = entries.get(index + 1).map(|next| (next.offset, &next.name));
            let (limit, second) = match next {
                Some((offset, name)) => (offset, name.as_str()),
                None => (end.directory_offset, "the directory"),
            };
            let entry = &entries[index];
            let least = LOCAL_LEN + entry.name.len() as u64;
            let entry_end = entry
                .offset
                .checked_add(least)
                .and_then(|end| end.checked_add(entry.compressed_len));
            if entry_end.is_none_or(|end| end > limit) {
                return Err(BundleError::Overlap {
                    first: cut(&entry.name),
                    second: cut(second),
                });
            }
            entries[index].end = limit;
        }
        let mut by_name = BTreeMap::new();
        for entry in entries {
            // Folders have entries of their own in archives of some tools.
            if entry.name.ends_with('/') && entry.len == 0 {
                continue;
            }
            if let Some(first) = by_name.insert(entry.name.clone(), entry) {
                return Err(BundleError::DuplicateEntry {
                    path: cut(&first.name),
                });
            }
        }
        Ok(Self { entries: by_name })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }
}

/// What the end of the archive says of the directory.
struct End {
    entries: u64,
    directory_offset: u64,
    directory_len: u64,
    /// What offsets in the archive lack to be offsets in the bundle: clients count from either.
    base: u64,
}

impl End {
    fn find<S: ReadAt + ?Sized>(source: &S, header_len: u64) -> Result<Self, BundleError> {
        let len = source.len();
        if len < header_len + END_LEN {
            return Err(BundleError::NoArchive);
        }
        let tail_start = len.saturating_sub(END_LEN + MAX_COMMENT).max(header_len);
        let tail = read_vec(source, tail_start, len - tail_start)?;
        let last = tail.len() - END_LEN as usize;
        let is_end = |at: &usize| {
            let comment = tail.len() - at - END_LEN as usize;
            tail[*at..].starts_with(&END_SIGNATURE)
                && usize::from(u16_at(&tail, at + 20)) == comment
        };
        let at = (0..=last)
            .rev()
            .find(is_end)
            .ok_or(BundleError::NoArchive)?;
        let record = &tail[at..];
        let offset = tail_start + at as u64;
        let small = Small {
            disks: [u16_at(record, 4), u16_at(record, 6)],
            entries: [u16_at(record, 8), u16_at(record, 10)],
            directory_len: u32_at(record, 12),
            directory_offset: u32_at(record, 16),
        };
        if small.needs_64() {
            return Self::from_64(source, header_len, offset);
        }
        if small.disks != [0, 0] || small.entries[0] != small.entries[1] {
            return Err(BundleError::Split);
        }
        Self::new(
            header_len,
            offset,
            u64::from(small.entries[0]),
            u64::from(small.directory_len),
            u64::from(small.directory_offset),
        )
    }

    /// From the records of zip64 that stand before the end at `end_offset`.
    fn from_64<S: ReadAt + ?Sized>(
        source: &S,
        header_len: u64,
        end_offset: u64,
    ) -> Result<Self, BundleError> {
        let missing =
            BundleError::Contradiction("its numbers need zip64, and it has no such record");
        let locator_offset = end_offset
            .checked_sub(END64_LOCATOR_LEN)
            .filter(|offset| *offset >= header_len);
        let Some(locator_offset) = locator_offset else {
            return Err(missing);
        };
        let locator = read_vec(source, locator_offset, END64_LOCATOR_LEN)?;
        if !locator.starts_with(&END64_LOCATOR_SIGNATURE) {
            return Err(missing);
        }
        if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) > 1 {
            return Err(BundleError::Split);
        }
        // Without extensible data, which no client writes, the record stands right before its locator.
        let record_offset = locator_offset
            .checked_sub(END64_LEN)
            .filter(|offset| *offset >= header_len);
        let Some(record_offset) = record_offset else {
            return Err(missing);
        };
        let claimed = u64_at(&locator, 8);
        if claimed != record_offset && claimed.checked_add(header_len) != Some(record_offset) {
            return Err(BundleError::Contradiction(
                "its zip64 record is not where it says",
            ));
        }
        let record = read_vec(source, record_offset, END64_LEN)?;
        if !record.starts_with(&END64_SIGNATURE) || u64_at(&record, 4) != END64_LEN - 12 {
            return Err(missing);
        }
        let entries = u64_at(&record, 24);
        if u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 || u64_at(&record, 32) != entries {
            return Err(BundleError::Split);
        }
        Self::new(
            header_len,
            record_offset,
            entries,
            u64_at(&record, 40),
            u64_at(&record, 48),
        )
    }

    /// The directory stands right before its end, wherever the archive says that it is.
    fn new(
        header_len: u64,
        end_offset: u64,
        entries: u64,
        directory_len: u64,
        claimed_offset: u64,
    ) -> Result<Self, BundleError> {
        let directory_offset = end_offset
            .checked_sub(directory_len)
            .filter(|offset| *offset >= header_len)
            .ok_or(BundleError::Contradiction(
                "its directory is larger than what stands before its end",
            ))?;
        let base = directory_offset
            .checked_sub(claimed_offset)
            .filter(|base| *base == 0 || *base == header_len)
            .ok_or(BundleError::Contradiction(
                "its directory is not where it says",
            ))?;
        if entries.saturating_mul(CENTRAL_LEN as u64) > directory_len {
            return Err(BundleError::Contradiction(
                "it has more entries than fit into its directory",
            ));
        }
        Ok(Self {
            entries,
            directory_offset,
            directory_len,
            base,
        })
    }
}

/// The end of an archive without zip64.
struct Small {
    disks: [u16; 2],
    entries: [u16; 2],
    directory_len: u32,
    directory_offset: u32,
}

impl Small {
    fn needs_64(&self) -> bool {
        self.disks.contains(&u16::MAX)
            || self.entries.contains(&u16::MAX)
            || self.directory_len == u32::MAX
            || self.directory_offset == u32::MAX
    }
}

fn read_directory<S: ReadAt + ?Sized>(source: &S, end: &End) -> Result<Vec<Entry>, BundleError> {
    let mut window = Window::new(source, end.directory_offset, end.directory_len);
    let mut entries = Vec::new();
    for _ in 0..end.entries {
        let bytes = window.peek(CENTRAL_LEN)?;
        if !bytes.starts_with(&CENTRAL_SIGNATURE) {
            return Err(BundleError::Contradiction(
                "its directory has something else than entries",
            ));
        }
        let name_len = usize::from(u16_at(bytes, 28));
        let extra_len = usize::from(u16_at(bytes, 30));
        let comment_len = usize::from(u16_at(bytes, 32));
        let len = CENTRAL_LEN + name_len + extra_len + comment_len;
        let bytes = window.peek(len)?;
        let name = &bytes[CENTRAL_LEN..CENTRAL_LEN + name_len];
        let extra = &bytes[CENTRAL_LEN + name_len..len - comment_len];
        entries.push(read_entry(bytes, name, extra, end.base)?);
        window.skip(len);
    }
    if window.is_at_end() {
        Ok(entries)
    } else {
        Err(BundleError::Contradiction(
            "its directory is longer than its entries",
        ))
    }
}

fn read_entry(bytes: &[u8], name: &[u8], extra: &[u8], base: u64) -> Result<Entry, BundleError> {
    let name = check_name(name)?;
    let path = || cut(name);
    let flags = u16_at(bytes, 8);
    if flags & FLAGS_OF_SECRETS != 0 {
        return Err(BundleError::Encrypted { path: path() });
    }
    let unix_mode = u32_at(bytes, 38) >> 16;
    if unix_mode & UNIX_TYPE == UNIX_SYMLINK {
        return Err(BundleError::Symlink { path: path() });
    }
    let method = u16_at(bytes, 10);
    if method != 0 && method != 8 {
        return Err(BundleError::Compression {
            path: path(),
            method,
        });
    }
    let contradiction = |what| BundleError::EntryContradiction { path: path(), what };
    let mut numbers = Zip64Numbers::find(extra).map_err(contradiction)?;
    let mut number = |at: usize| match u64::from(u32_at(bytes, at)) {
        TOO_LARGE_FOR_32 => numbers
            .next()
            .ok_or_else(|| contradiction("a number of it needs zip64, and is not there")),
        small => Ok(small),
    };
    // The order in which the extra field has them.
    let len = number(24)?;
    let compressed_len = number(20)?;
    let offset = number(42)?;
    if method == 0 && len != compressed_len {
        return Err(contradiction("it is stored, and has two different lengths"));
    }
    Ok(Entry {
        name: name.to_owned(),
        flags,
        method,
        crc: u32_at(bytes, 16),
        compressed_len,
        len,
        offset: offset
            .checked_add(base)
            .ok_or_else(|| contradiction("it begins beyond the archive"))?,
        end: 0,
    })
}

/// Names are keys here. One that would be dangerous as a path is refused all the same: nobody writes it by accident.
fn check_name(name: &[u8]) -> Result<&str, BundleError> {
    let bad = |rule| BundleError::BadName {
        name: cut(&String::from_utf8_lossy(name)),
        rule,
    };
    let text = std::str::from_utf8(name).map_err(|_| bad("is not UTF-8"))?;
    let rule = if text.is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "has control characters"
    } else if text.starts_with(['/', '\\']) || text.as_bytes().get(1) == Some(&b':') {
        "is an absolute path"
    } else if text.split(['/', '\\']).any(|part| part == "..") {
        "leads out of the archive"
    } else {
        return Ok(text);
    };
    Err(bad(rule))
}

/// The numbers of the extra field for zip64, in their order.
pub(super) struct Zip64Numbers<'a>(&'a [u8]);

impl<'a> Zip64Numbers<'a> {
    pub(super) fn find(mut extra: &'a [u8]) -> Result<Self, &'static str> {
        // Less than a header is padding, which tools for alignment write.
        while extra.len() >= 4 {
            let id = u16_at(extra, 0);
            let len = usize::from(u16_at(extra, 2));
            let Some(data) = extra.get(4..4 + len) else {
                return Err("its extra field is cut");
            };
            if id == ZIP64_EXTRA {
                return Ok(Self(data));
            }
            extra = &extra[4 + len..];
        }
        Ok(Self(&[]))
    }

    pub(super) fn next(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

/// A sliding view of the directory: never all of it is in memory.
struct Window<'a, S: ?Sized> {
    source: &'a S,
    offset: u64,
    left: u64,
    buffer: Vec<u8>,
    start: usize,
}

impl<'a, S: ReadAt + ?Sized> Window<'a, S> {
    const READ: usize = 64 << 10;

    fn new(source: &'a S, offset: u64, len: u64) -> Self {
        Self {
            source,
            offset,
            left: len,
            buffer: Vec::new(),
            start: 0,
        }
    }

    fn peek(&mut self, len: usize) -> Result<&[u8], BundleError> {
        debug_assert!(len <= MAX_CENTRAL_LEN);
        if self.buffer.len() - self.start < len {
            self.buffer.drain(..self.start);
            self.start = 0;
            let wanted = (len.max(Self::READ) - self.buffer.len()) as u64;
            let more = wanted.min(self.left);
            let bytes = read_vec(self.source, self.offset, more)?;
            self.buffer.extend_from_slice(&bytes);
            self.offset += more;
            self.left -= more;
        }
        let cut = BundleError::Contradiction("its directory is shorter than its entries");
        self.buffer[self.start..].get(..len).ok_or(cut)
    }

    fn skip(&mut self, len: usize) {
        self.start += len;
    }

    fn is_at_end(&self) -> bool {
        self.left == 0 && self.start == self.buffer.len()
    }
}

/// `len` is at most some hundred kilobytes wherever this is called.
pub(super) fn read_vec<S: ReadAt + ?Sized>(
    source: &S,
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, BundleError> {
    let mut bytes = vec![0; len as usize];
    source
        .read_exact_at(&mut bytes, offset)
        .map_err(BundleError::Read)?;
    Ok(bytes)
}

/// Callers have checked that there are so many bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
