//! Texts of sources: cut into chunks, each compressed by itself, so that some lines cost one chunk and not the whole text.

use zstd::bulk::{Compressor, Decompressor};

use super::layout::{CHUNK_BYTES, CHUNK_TEXT_BYTES};
use super::{CacheError, SourceLines};
use crate::text::{TextIndex, line_end};

/// Bytes of a line that [`super::MapCache::source_lines`] gives; longer ones are cut.
pub const MAX_LINE_BYTES: usize = 1024;

const LEVEL: i32 = 3;

/// The chunks of all texts that were written.
pub(super) struct Contents {
    compressor: Compressor<'static>,
    pub(super) chunks: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Written {
    pub(super) first_chunk: u32,
    pub(super) chunks: u32,
    pub(super) lines: u32,
}

impl Contents {
    pub(super) fn new() -> Result<Self, CacheError> {
        Ok(Self {
            compressor: Compressor::new(LEVEL)
                .map_err(|error| CacheError::Compression(error.to_string()))?,
            chunks: Vec::new(),
            bytes: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, text: &str) -> Result<Written, CacheError> {
        let index = TextIndex::new(text);
        let starts = index.line_starts();
        let lines =
            u32::try_from(starts.len()).map_err(|_| CacheError::TooLarge("lines of a source"))?;
        let first_chunk = self.chunks.len() / CHUNK_BYTES;
        let mut at = 0;
        // The line that `at` is in.
        let mut line = 0;
        while at < text.len() {
            let is_continued = starts[line] != at;
            let (end, next_line) = end_of_chunk(text, starts, at, line);
            self.chunk(&text[at..end], line as u32, is_continued)?;
            at = end;
            line = next_line;
        }
        let written = self.chunks.len() / CHUNK_BYTES - first_chunk;
        let narrow =
            |count: usize| u32::try_from(count).map_err(|_| CacheError::TooLarge("chunks"));
        Ok(Written {
            first_chunk: narrow(first_chunk)?,
            chunks: narrow(written)?,
            lines,
        })
    }

    fn chunk(&mut self, text: &str, line: u32, is_continued: bool) -> Result<(), CacheError> {
        let compressed = self
            .compressor
            .compress(text.as_bytes())
            .map_err(|error| CacheError::Compression(error.to_string()))?;
        let stored = if compressed.len() < text.len() {
            &compressed
        } else {
            text.as_bytes()
        };
        self.chunks.extend_from_slice(&line.to_le_bytes());
        self.chunks
            .extend_from_slice(&u32::from(is_continued).to_le_bytes());
        self.chunks
            .extend_from_slice(&(self.bytes.len() as u64).to_le_bytes());
        self.chunks
            .extend_from_slice(&(stored.len() as u32).to_le_bytes());
        self.chunks
            .extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(stored);
        Ok(())
    }
}

/// Where the chunk ends that begins at `at`, and the line that the next one begins in: behind the last line that it holds whole, or within a line
/// that is longer than a chunk.
fn end_of_chunk(text: &str, starts: &[usize], at: usize, line: usize) -> (usize, usize) {
    let most = at + CHUNK_TEXT_BYTES;
    if most >= text.len() {
        return (text.len(), starts.len() - 1);
    }
    let behind = line + starts[line..].partition_point(|&start| start <= most);
    let last = behind - 1;
    if starts[last] > at {
        return (starts[last], last);
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // CR and LF are one line end: they stay together.
    if text.as_bytes()[end - 1] == b'\r' && text.as_bytes()[end] == b'\n' {
        end -= 1;
    }
    (end, line)
}

/// The chunks of one source, for reading.
pub(super) struct Reader<'c> {
    pub(super) chunks: &'c [[u8; CHUNK_BYTES]],
    pub(super) contents: &'c [u8],
    pub(super) lines: u32,
}

/// A chunk that was unpacked.
struct Unpacked {
    chunk: usize,
    text: Vec<u8>,
    /// A line that was found, and where in the text it begins: the next one is not searched from the chunk's begin.
    line: u32,
    at: usize,
}

impl Reader<'_> {
    pub(super) fn lines(&self, line: u32, around: u32) -> Result<Option<SourceLines>, CacheError> {
        if line >= self.lines {
            return Ok(None);
        }
        let first = line.saturating_sub(around);
        let last = line.saturating_add(around).min(self.lines - 1);
        let mut lines = Vec::with_capacity((last - first + 1) as usize);
        let mut decompressor =
            Decompressor::new().map_err(|error| CacheError::Compression(error.to_string()))?;
        let mut unpacked: Option<Unpacked> = None;
        for line in first..=last {
            lines.push(self.line(line, &mut decompressor, &mut unpacked)?);
        }
        Ok(Some(SourceLines {
            first_line: first,
            lines,
        }))
    }

    fn line(
        &self,
        line: u32,
        decompressor: &mut Decompressor<'_>,
        unpacked: &mut Option<Unpacked>,
    ) -> Result<String, CacheError> {
        // The last chunk that begins before the line or with it; not one that begins in the middle of it.
        let behind = self.chunks.partition_point(|chunk| {
            let (first, is_continued) = begin_of(chunk);
            (first, is_continued) <= (line, 0)
        });
        let Some(mut chunk) = behind.checked_sub(1) else {
            // A text without a byte has a line and no chunk.
            return Ok(String::new());
        };
        let mut bytes = Vec::new();
        let mut is_first = true;
        loop {
            let piece = self.unpack(chunk, decompressor, unpacked)?;
            let mut at = 0;
            if is_first {
                if !piece.go_to(line) {
                    // The line begins with the end of the text.
                    return Ok(String::new());
                }
                at = piece.at;
                is_first = false;
            }
            let end = line_end(&piece.text, at);
            let text = piece
                .text
                .get(at..end.map_or(piece.text.len(), |end| end.0));
            bytes.extend_from_slice(text.unwrap_or_default());
            chunk += 1;
            let goes_on = end.is_none()
                && bytes.len() <= MAX_LINE_BYTES
                && self
                    .chunks
                    .get(chunk)
                    .is_some_and(|next| begin_of(next) == (line, 1));
            if !goes_on {
                return cut(bytes);
            }
        }
    }

    fn unpack<'u>(
        &self,
        chunk: usize,
        decompressor: &mut Decompressor<'_>,
        unpacked: &'u mut Option<Unpacked>,
    ) -> Result<&'u mut Unpacked, CacheError> {
        if unpacked
            .as_ref()
            .is_none_or(|unpacked| unpacked.chunk != chunk)
        {
            let record = self
                .chunks
                .get(chunk)
                .ok_or(CacheError::Corrupt("chunk of a source"))?;
            let text = unpack(record, self.contents, decompressor)?;
            *unpacked = Some(Unpacked {
                chunk,
                text,
                line: begin_of(record).0,
                at: 0,
            });
        }
        unpacked
            .as_mut()
            .ok_or(CacheError::Corrupt("chunk of a source"))
    }
}

impl Unpacked {
    /// Moves to the begin of a line that is not before the one where this is. `false` if the text ends before.
    fn go_to(&mut self, line: u32) -> bool {
        while self.line < line {
            let Some((_, next)) = line_end(&self.text, self.at) else {
                return false;
            };
            self.at = next;
            self.line += 1;
        }
        true
    }
}

fn unpack(
    record: &[u8; CHUNK_BYTES],
    contents: &[u8],
    decompressor: &mut Decompressor<'_>,
) -> Result<Vec<u8>, CacheError> {
    let corrupt = CacheError::Corrupt("chunk of a source");
    let at = u64::from(number(record, 8)) | u64::from(number(record, 12)) << 32;
    let (stored_len, len) = (number(record, 16) as usize, number(record, 20) as usize);
    let stored = usize::try_from(at)
        .ok()
        .and_then(|at| contents.get(at..at.checked_add(stored_len)?));
    let Some(stored) = stored.filter(|_| (1..=CHUNK_TEXT_BYTES).contains(&len)) else {
        return Err(corrupt);
    };
    if stored_len == len {
        return Ok(stored.to_vec());
    }
    match decompressor.decompress(stored, len) {
        Ok(text) if text.len() == len => Ok(text),
        _ => Err(corrupt),
    }
}

/// The line that a chunk begins in, and whether that line began earlier.
fn begin_of(record: &[u8; CHUNK_BYTES]) -> (u32, u32) {
    (number(record, 0), number(record, 4))
}

fn number(record: &[u8; CHUNK_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
}

/// The line as text, with an ellipsis in place of what is too much.
fn cut(mut bytes: Vec<u8>) -> Result<String, CacheError> {
    let is_long = bytes.len() > MAX_LINE_BYTES;
    if is_long {
        let mut end = MAX_LINE_BYTES;
        while end > 0 && bytes[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        bytes.truncate(end);
    }
    let mut text = String::from_utf8(bytes).map_err(|_| CacheError::Corrupt("text of a source"))?;
    if is_long {
        text.push('…');
    }
    Ok(text)
}
