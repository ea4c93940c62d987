//! The cache of a source map: written once, mapped into memory, read without parsing.
//!
//! The format is docs/formats/source-map-cache.md. A cache of another version is not read but written anew from its map.

mod build;
mod contents;
mod functions;
mod layout;
mod varint;

pub use contents::MAX_LINE_BYTES;
pub use functions::function_starts;

use layout::{Header, NONE, Parts, token};

use crate::DebugId;
use crate::fit::{self, Fit};
use crate::functions::scopes;
use crate::map::SourceMap;

/// Lines on either side that [`MapCache::source_lines`] gives at most.
pub const MAX_LINES_AROUND: u32 = 50;

/// Why a cache could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The bytes do not begin as a cache does.
    #[error("this is no source map cache: it begins with {0:?}")]
    NotACache(Vec<u8>),
    /// Written by another version of this format.
    #[error("this source map cache has version {0}, not {version}", version = layout::VERSION)]
    Version(u16),
    /// The file is not as long as its header says.
    #[error("this source map cache has {len} bytes where its header says {expected}")]
    Length {
        /// How long it is.
        len: usize,
        /// How long it should be.
        expected: u64,
    },
    /// What the file says of itself cannot be.
    #[error("this source map cache is corrupt: {0}")]
    Corrupt(&'static str),
    /// The map has more of something than the format can say.
    #[error("the source map has too many {0} for a cache")]
    TooLarge(&'static str),
    /// The compressor failed.
    #[error("zstd failed: {0}")]
    Compression(String),
}

/// The version of the format that this code writes and reads.
pub const FORMAT_VERSION: u32 = layout::VERSION as u32;

/// A function begins or ends here: from this position on, this is the innermost one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionStart {
    /// Counted from 0.
    pub line: u32,
    /// Counted from 0, in UTF-16 units.
    pub column: u32,
    /// The function's name; `None` outside of functions, and in those without a name.
    pub name: Option<String>,
}

/// Writes the cache of `map`.
///
/// With the bundle's text the cache also knows how well map and bundle [`fit`](fit::fit). Functions are those that [`scopes`] reads in the sources.
pub fn build(map: &SourceMap, minified: Option<&str>) -> Result<Vec<u8>, CacheError> {
    build_with(map, minified, |name, text| {
        let scopes = scopes(name, text);
        function_starts(scopes.iter().map(|scope| {
            let (start, end) = (scope.start, scope.end);
            (
                (start.line, start.column),
                (end.line, end.column),
                scope.name.as_deref(),
            )
        }))
    })
}

/// Writes the cache of `map` with functions from elsewhere: `functions_of` is given each source's name and text.
pub fn build_with(
    map: &SourceMap,
    minified: Option<&str>,
    mut functions_of: impl FnMut(&str, &str) -> Vec<FunctionStart>,
) -> Result<Vec<u8>, CacheError> {
    let fit = minified.map(|text| fit::fit(text, map));
    build::build(map, fit, &mut functions_of)
}

/// A cache that is open. `B` is what holds the bytes: a mapped file, a vector, a slice.
///
/// Opening reads the header alone. Nothing else is believed: bytes that were changed give an error or another answer, never a panic, and never more
/// memory than a chunk of text takes.
#[derive(Debug, Clone)]
pub struct MapCache<B> {
    bytes: B,
    header: Header,
    parts: Parts,
}

/// Where a position of the generated code comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'c> {
    /// Where the token begins in the generated code: on the line that was asked about, at or before the column.
    pub generated_column: u32,
    /// Index of the source.
    pub source: u32,
    /// Its name, if the map has one.
    pub source_name: Option<&'c str>,
    /// Counted from 0.
    pub line: u32,
    /// Counted from 0, in UTF-16 units.
    pub column: u32,
    /// The name that the token gives: what is written there in the source.
    pub name: Option<&'c str>,
    /// The function around that position of the source, if it has a name.
    pub function: Option<&'c str>,
    /// Whether the source is in the map's `ignoreList`.
    pub is_ignored: bool,
}

/// One source of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceInfo<'c> {
    /// Its name, if the map has one.
    pub name: Option<&'c str>,
    /// Whether it is in the map's `ignoreList`.
    pub is_ignored: bool,
    /// Lines of its text; `None` if the map has no text.
    pub line_count: Option<u32>,
}

/// Some lines of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLines {
    /// The number of the first one, counted from 0.
    pub first_line: u32,
    /// The lines without their ends. One that is longer than [`MAX_LINE_BYTES`] is cut and ends with `…`.
    pub lines: Vec<String>,
}

impl<B: AsRef<[u8]>> MapCache<B> {
    /// Opens a cache: looks at the header, whatever the size of the file.
    pub fn open(bytes: B) -> Result<Self, CacheError> {
        let all = bytes.as_ref();
        let start = all.get(..6).filter(|start| start[..4] == layout::MAGIC);
        let Some(start) = start else {
            return Err(CacheError::NotACache(all[..all.len().min(4)].to_vec()));
        };
        let version = u16::from_le_bytes([start[4], start[5]]);
        if version != layout::VERSION {
            return Err(CacheError::Version(version));
        }
        let Some(header) = all.first_chunk() else {
            return Err(CacheError::Length {
                len: all.len(),
                expected: layout::HEADER_BYTES as u64,
            });
        };
        let (header, expected) = Header::read(header);
        if expected != all.len() as u64 {
            return Err(CacheError::Length {
                len: all.len(),
                expected,
            });
        }
        let Some((parts, _)) = header.parts().filter(|&(_, len)| len == all.len()) else {
            return Err(CacheError::Corrupt("the parts are not as long as the file"));
        };
        if header.blocks != header.tokens.div_ceil(layout::BLOCK_TOKENS) {
            return Err(CacheError::Corrupt("the number of blocks"));
        }
        Ok(Self {
            bytes,
            header,
            parts,
        })
    }

    /// The map's `file`.
    pub fn file(&self) -> Result<Option<&str>, CacheError> {
        self.string(self.header.file)
    }

    /// The map's debug id.
    pub fn debug_id(&self) -> Option<DebugId> {
        let is_there = self.header.flags & layout::FLAG_DEBUG_ID != 0;
        is_there.then(|| DebugId::from_bytes(self.header.debug_id))
    }

    /// How well map and bundle fit, if the bundle was there when the cache was written.
    pub fn fit(&self) -> Option<Fit> {
        let [same, compared, outside, weakest] = self.header.fit;
        let is_there = self.header.flags & layout::FLAG_FIT != 0;
        is_there.then(|| Fit {
            share: f64::from(same) / f64::from(compared.max(1)),
            weakest: f64::from(weakest) / 1e6,
            same,
            compared,
            outside,
        })
    }

    /// How many sources there are.
    pub fn source_count(&self) -> u32 {
        self.header.sources
    }

    /// A source by its index. `None` if there is none.
    pub fn source(&self, source: u32) -> Result<Option<SourceInfo<'_>>, CacheError> {
        let Some(record) = self.source_record(source) else {
            return Ok(None);
        };
        Ok(Some(SourceInfo {
            name: self.string(record.name)?,
            is_ignored: record.flags & layout::SOURCE_IGNORED != 0,
            line_count: (record.flags & layout::SOURCE_HAS_CONTENT != 0).then_some(record.lines),
        }))
    }

    /// Where a position of the generated code comes from. `None` if the map does not say: the token that covers it is not mapped, or the line has none
    /// before it. Nothing of an earlier line is ever taken.
    pub fn lookup(&self, line: u32, column: u32) -> Result<Option<Location<'_>>, CacheError> {
        let Some(found) = self.token(line, column)? else {
            return Ok(None);
        };
        let record = self
            .source_record(found.source)
            .ok_or(CacheError::Corrupt("source of a token"))?;
        let name = match found.name {
            NONE => None,
            name => self.name(name)?,
        };
        Ok(Some(Location {
            generated_column: found.column,
            source: found.source,
            source_name: self.string(record.name)?,
            line: found.original_line,
            column: found.original_column,
            name,
            function: self.function(&record, found.original_line, found.original_column)?,
            is_ignored: record.flags & layout::SOURCE_IGNORED != 0,
        }))
    }

    /// A line of a source and up to `around` lines on either side of it, at most [`MAX_LINES_AROUND`]. `None` if the map has no text of that source, or
    /// the text no such line.
    pub fn source_lines(
        &self,
        source: u32,
        line: u32,
        around: u32,
    ) -> Result<Option<SourceLines>, CacheError> {
        let Some(record) = self.source_record(source) else {
            return Ok(None);
        };
        if record.flags & layout::SOURCE_HAS_CONTENT == 0 {
            return Ok(None);
        }
        let (chunks, _) = self.part(self.parts.chunks).as_chunks();
        let chunks = slice(chunks, record.first_chunk, record.chunks)
            .ok_or(CacheError::Corrupt("chunks of a source"))?;
        let reader = contents::Reader {
            chunks,
            contents: self.part(self.parts.contents),
            lines: record.lines,
        };
        reader.lines(line, around.min(MAX_LINES_AROUND))
    }

    fn part(&self, (start, end): (usize, usize)) -> &[u8] {
        // Whoever holds the bytes could give others than those that were opened.
        self.bytes.as_ref().get(start..end).unwrap_or_default()
    }

    fn token(&self, line: u32, column: u32) -> Result<Option<Found>, CacheError> {
        let (keys, _) = self.part(self.parts.keys).as_chunks();
        let wanted = u64::from(line) << 32 | u64::from(column);
        let behind = keys.partition_point(|key| u64::from_le_bytes(*key) <= wanted);
        let Some(block) = behind.checked_sub(1) else {
            return Ok(None);
        };
        let key = u64::from_le_bytes(keys[block]);
        let found = self
            .scan(block, key, wanted)
            .ok_or(CacheError::Corrupt("block of tokens"))?;
        Ok(Some(found).filter(|found| found.line == line && found.is_mapped))
    }

    /// The last token of a block at or before `wanted`, of which the first one is.
    fn scan(&self, block: usize, key: u64, wanted: u64) -> Option<Found> {
        let (offsets, _) = self.part(self.parts.offsets).as_chunks();
        let bytes = self.part(self.parts.tokens);
        let mut at = u32::from_le_bytes(*offsets.get(block)?) as usize;
        let rest = self.header.tokens - block as u32 * layout::BLOCK_TOKENS;
        let mut next = Found {
            line: (key >> 32) as u32,
            column: key as u32,
            ..Found::default()
        };
        let mut last_name = 0;
        let mut found = None;
        for _ in 0..rest.min(layout::BLOCK_TOKENS) {
            let tag = *bytes.get(at)?;
            at += 1;
            if tag & token::NEW_LINE != 0 {
                next.line = next.line.wrapping_add(varint::read(bytes, &mut at)?);
                next.column = varint::read(bytes, &mut at)?;
            } else {
                let distance = match u32::from(tag >> token::COLUMN_SHIFT) {
                    0 => varint::read(bytes, &mut at)?,
                    distance => distance,
                };
                next.column = next.column.wrapping_add(distance);
            }
            if u64::from(next.line) << 32 | u64::from(next.column) > wanted {
                break;
            }
            next.is_mapped = tag & token::MAPPED != 0;
            next.name = NONE;
            if next.is_mapped {
                if tag & token::NEW_SOURCE != 0 {
                    next.source = varint::apply(next.source, varint::read(bytes, &mut at)?);
                }
                if tag & token::NEW_ORIGINAL_LINE != 0 {
                    let difference = varint::read(bytes, &mut at)?;
                    next.original_line = varint::apply(next.original_line, difference);
                }
                let difference = varint::read(bytes, &mut at)?;
                next.original_column = varint::apply(next.original_column, difference);
                if tag & token::NAMED != 0 {
                    last_name = varint::apply(last_name, varint::read(bytes, &mut at)?);
                    next.name = last_name;
                }
            }
            found = Some(next);
        }
        found
    }

    fn name(&self, name: u32) -> Result<Option<&str>, CacheError> {
        let (names, _) = self.part(self.parts.names).as_chunks();
        let at = names
            .get(name as usize)
            .ok_or(CacheError::Corrupt("name of a token"))?;
        self.string(u32::from_le_bytes(*at))
    }

    fn string(&self, at: u32) -> Result<Option<&str>, CacheError> {
        if at == NONE {
            return Ok(None);
        }
        let strings = self.part(self.parts.strings);
        let read = || {
            let mut at = at as usize;
            let len = varint::read(strings, &mut at)? as usize;
            let bytes = strings.get(at..at.checked_add(len)?)?;
            std::str::from_utf8(bytes).ok()
        };
        read().map(Some).ok_or(CacheError::Corrupt("string"))
    }

    fn source_record(&self, source: u32) -> Option<SourceRecord> {
        let (records, _) = self
            .part(self.parts.sources)
            .as_chunks::<{ layout::SOURCE_BYTES }>();
        let (numbers, _) = records.get(source as usize)?.as_chunks::<4>();
        let number = |at: usize| u32::from_le_bytes(numbers[at]);
        Some(SourceRecord {
            name: number(0),
            flags: number(1),
            first_chunk: number(2),
            chunks: number(3),
            lines: number(4),
            first_function: number(5),
            functions: number(6),
        })
    }

    fn function(
        &self,
        record: &SourceRecord,
        line: u32,
        column: u32,
    ) -> Result<Option<&str>, CacheError> {
        let (records, _) = self
            .part(self.parts.functions)
            .as_chunks::<{ layout::FUNCTION_BYTES }>();
        let functions = slice(records, record.first_function, record.functions)
            .ok_or(CacheError::Corrupt("functions of a source"))?;
        let number = |record: &[u8; layout::FUNCTION_BYTES], at: usize| {
            u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
        };
        let behind = functions
            .partition_point(|record| (number(record, 0), number(record, 4)) <= (line, column));
        match behind.checked_sub(1) {
            Some(at) => self.string(number(&functions[at], 8)),
            None => Ok(None),
        }
    }
}

/// A token as it was found.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    line: u32,
    column: u32,
    is_mapped: bool,
    source: u32,
    original_line: u32,
    original_column: u32,
    name: u32,
}

struct SourceRecord {
    name: u32,
    flags: u32,
    first_chunk: u32,
    chunks: u32,
    lines: u32,
    first_function: u32,
    functions: u32,
}

fn slice<T>(all: &[T], start: u32, len: u32) -> Option<&[T]> {
    let start = start as usize;
    all.get(start..start.checked_add(len as usize)?)
}
