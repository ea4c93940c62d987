//! Writing a cache file.

use std::collections::HashMap;

use super::contents::Contents;
use super::layout::{self, BLOCK_TOKENS, Header, NONE, token};
use super::{CacheError, FunctionStart, varint};
use crate::fit::Fit;
use crate::map::{Source, SourceMap, Token};

/// Writes the cache of `map`.
///
/// `functions_of` gives the functions of a source by its name and text, in the order of their positions. `fit` is kept for those who open the cache.
pub(super) fn build(
    map: &SourceMap,
    fit: Option<Fit>,
    functions_of: &mut dyn FnMut(&str, &str) -> Vec<FunctionStart>,
) -> Result<Vec<u8>, CacheError> {
    let mut strings = Strings::default();
    let mut blocks = Blocks::default();
    blocks.write(map)?;
    let mut contents = Contents::new()?;
    let mut sources = Vec::with_capacity(map.sources().len() * layout::SOURCE_BYTES);
    let mut functions = Functions::default();
    for source in map.sources() {
        let record = write_source(
            source,
            &mut contents,
            &mut functions,
            &mut strings,
            functions_of,
        )?;
        for number in record {
            sources.extend_from_slice(&number.to_le_bytes());
        }
    }
    let mut names = Vec::with_capacity(map.names().len() * layout::NAME_BYTES);
    for name in map.names() {
        names.extend_from_slice(&strings.reference(name)?.to_le_bytes());
    }
    let file = match map.file() {
        Some(file) => strings.reference(file)?,
        None => NONE,
    };
    let mut flags = 0;
    if map.debug_id().is_some() {
        flags |= layout::FLAG_DEBUG_ID;
    }
    if fit.is_some() {
        flags |= layout::FLAG_FIT;
    }
    let header = Header {
        flags,
        debug_id: map.debug_id().map_or([0; 16], |id| *id.as_bytes()),
        tokens: blocks.tokens,
        blocks: count("blocks", blocks.keys.len() / layout::BLOCK_KEY_BYTES)?,
        sources: count("sources", map.sources().len())?,
        names: count("names", map.names().len())?,
        chunks: count("chunks", contents.chunks.len() / layout::CHUNK_BYTES)?,
        functions: count(
            "functions",
            functions.records.len() / layout::FUNCTION_BYTES,
        )?,
        file,
        token_bytes: count("bytes of tokens", blocks.bytes.len())?,
        string_bytes: count("bytes of strings", strings.bytes.len())?,
        content_bytes: contents.bytes.len() as u64,
        fit: fit.map_or([0; 4], |fit| {
            [
                fit.same,
                fit.compared,
                fit.outside,
                (fit.weakest * 1e6) as u32,
            ]
        }),
    };
    let (_, len) = header.parts().ok_or(CacheError::TooLarge("bytes"))?;
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(&header.write(len as u64));
    for part in [
        blocks.keys,
        blocks.offsets,
        sources,
        names,
        contents.chunks,
        functions.records,
        blocks.bytes,
        strings.bytes,
        contents.bytes,
    ] {
        out.extend_from_slice(&part);
    }
    Ok(out)
}

fn write_source<'m>(
    source: &'m Source,
    contents: &mut Contents,
    functions: &mut Functions,
    strings: &mut Strings,
    functions_of: &mut dyn FnMut(&str, &str) -> Vec<FunctionStart>,
) -> Result<[u32; 8], CacheError> {
    let mut flags = 0;
    if source.is_ignored {
        flags |= layout::SOURCE_IGNORED;
    }
    let mut record = [NONE, 0, 0, 0, 0, 0, 0, 0];
    if let Some(name) = &source.name {
        record[0] = strings.reference(name)?;
    }
    if let Some(content) = &source.content {
        flags |= layout::SOURCE_HAS_CONTENT;
        let written = contents.write(content)?;
        record[2] = written.first_chunk;
        record[3] = written.chunks;
        record[4] = written.lines;
        let name = source.name.as_deref().unwrap_or_default();
        let starts = functions_of(name, content);
        record[5] = count(
            "functions",
            functions.records.len() / layout::FUNCTION_BYTES,
        )?;
        record[6] = functions.write(starts, strings)?;
        record[7] = count("bytes of a source", content.len())?;
    }
    record[1] = flags;
    Ok(record)
}

fn count(what: &'static str, value: usize) -> Result<u32, CacheError> {
    // The largest number stands for "none" where these are referred to.
    match u32::try_from(value) {
        Ok(value) if value != NONE => Ok(value),
        _ => Err(CacheError::TooLarge(what)),
    }
}

/// Each string once.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    known: HashMap<String, u32>,
}

impl Strings {
    fn reference(&mut self, text: &str) -> Result<u32, CacheError> {
        if let Some(&at) = self.known.get(text) {
            return Ok(at);
        }
        let at = count("bytes of strings", self.bytes.len())?;
        varint::write(count("bytes of a string", text.len())?, &mut self.bytes);
        self.bytes.extend_from_slice(text.as_bytes());
        self.known.insert(text.to_owned(), at);
        Ok(at)
    }
}

#[derive(Default)]
struct Functions {
    records: Vec<u8>,
}

impl Functions {
    fn write(
        &mut self,
        mut starts: Vec<FunctionStart>,
        strings: &mut Strings,
    ) -> Result<u32, CacheError> {
        starts.sort_by_key(|start| (start.line, start.column));
        let mut written: u32 = 0;
        for (at, start) in starts.iter().enumerate() {
            // Of several at one position the last one counts, as a reader that searches finds it.
            if starts
                .get(at + 1)
                .is_some_and(|next| (next.line, next.column) == (start.line, start.column))
            {
                continue;
            }
            let name = match &start.name {
                Some(name) => strings.reference(name)?,
                None => NONE,
            };
            for number in [start.line, start.column, name] {
                self.records.extend_from_slice(&number.to_le_bytes());
            }
            written += 1;
        }
        Ok(written)
    }
}

/// Tokens in blocks, and the index over them.
#[derive(Default)]
struct Blocks {
    keys: Vec<u8>,
    offsets: Vec<u8>,
    bytes: Vec<u8>,
    tokens: u32,
    last: Fields,
}

/// A token's fields as the one before it in the block had them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Fields {
    line: u32,
    column: u32,
    source: u32,
    original_line: u32,
    original_column: u32,
    name: u32,
}

impl Blocks {
    fn write(&mut self, map: &SourceMap) -> Result<(), CacheError> {
        let tokens = map.tokens();
        let mut previous: Option<&Token> = None;
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            if next
                .is_some_and(|next| (next.line(), next.column()) == (token.line(), token.column()))
            {
                continue;
            }
            if previous.is_some_and(|previous| says_the_same(previous, token)) {
                continue;
            }
            self.push(token)?;
            previous = Some(token);
        }
        Ok(())
    }

    fn push(&mut self, token: &Token) -> Result<(), CacheError> {
        let is_first = self.tokens.is_multiple_of(BLOCK_TOKENS);
        if is_first {
            let key = u64::from(token.line()) << 32 | u64::from(token.column());
            let offset = count("bytes of tokens", self.bytes.len())?;
            self.keys.extend_from_slice(&key.to_le_bytes());
            self.offsets.extend_from_slice(&offset.to_le_bytes());
            self.last = Fields {
                line: token.line(),
                column: token.column(),
                ..Fields::default()
            };
        }
        self.tokens = count("tokens", self.tokens as usize + 1)?;
        self.encode(token);
        Ok(())
    }

    fn encode(&mut self, token: &Token) {
        let last = self.last;
        let mut new = Fields {
            line: token.line(),
            column: token.column(),
            ..last
        };
        let mut tag = 0;
        let tag_at = self.bytes.len();
        self.bytes.push(0);
        if new.line == last.line {
            let distance = new.column - last.column;
            if (1..=token::COLUMN_MAX).contains(&distance) {
                tag |= (distance as u8) << token::COLUMN_SHIFT;
            } else {
                varint::write(distance, &mut self.bytes);
            }
        } else {
            tag |= token::NEW_LINE;
            varint::write(new.line - last.line, &mut self.bytes);
            varint::write(new.column, &mut self.bytes);
        }
        if let Some(original) = token.original() {
            tag |= token::MAPPED;
            new.source = original.source;
            new.original_line = original.line;
            new.original_column = original.column;
            if new.source != last.source {
                tag |= token::NEW_SOURCE;
                varint::write(varint::difference(last.source, new.source), &mut self.bytes);
            }
            if new.original_line != last.original_line {
                tag |= token::NEW_ORIGINAL_LINE;
                let difference = varint::difference(last.original_line, new.original_line);
                varint::write(difference, &mut self.bytes);
            }
            let difference = varint::difference(last.original_column, new.original_column);
            varint::write(difference, &mut self.bytes);
            if let Some(name) = token.name() {
                tag |= token::NAMED;
                new.name = name;
                varint::write(varint::difference(last.name, name), &mut self.bytes);
            }
        }
        self.bytes[tag_at] = tag;
        self.last = new;
    }
}

/// Whether `token` would be found with the answer that `previous` gives anyway.
fn says_the_same(previous: &Token, token: &Token) -> bool {
    previous.line() == token.line()
        && previous.original() == token.original()
        && previous.name() == token.name()
}
