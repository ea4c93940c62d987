//! The readers of source maps in Rust.

use anyhow::{Context as _, Result};
use srcmap::cache::{self, MapCache};
use srcmap::map::{MapLimits, SourceMap};
use symbolic_sourcemapcache::{SourceMapCache, SourceMapCacheWriter, SourcePosition};

/// What all are given.
pub(super) struct Given {
    pub(super) json: Vec<u8>,
    pub(super) bundle: String,
}

/// A reader. `Parsed` is what it makes of JSON, `Opened` what it makes of the bytes of a cache; without a cache both are one.
pub(super) trait Reader {
    type Parsed;
    type Opened<'c>;

    const HAS_PARSE: bool = true;
    const HAS_CACHE: bool = true;

    fn parse(given: &Given) -> Result<Self::Parsed>;
    fn build(parsed: &Self::Parsed, given: &Given) -> Result<Vec<u8>>;
    fn open<'c>(parsed: &'c Self::Parsed, cache: &'c [u8]) -> Result<Self::Opened<'c>>;
    /// Original line and column, counted from 0.
    fn look_up(opened: &Self::Opened<'_>, line: u32, column: u32) -> Option<(u32, u32)>;
    /// Bytes of the lines around it.
    fn lines(opened: &Self::Opened<'_>, line: u32, column: u32) -> usize;
}

const AROUND: u32 = 5;

pub(super) struct Ours;

impl Reader for Ours {
    type Parsed = SourceMap;
    type Opened<'c> = MapCache<&'c [u8]>;

    fn parse(given: &Given) -> Result<SourceMap> {
        Ok(SourceMap::parse(&given.json, &MapLimits::default())?)
    }

    fn build(parsed: &SourceMap, given: &Given) -> Result<Vec<u8>> {
        Ok(cache::build(parsed, Some(&given.bundle))?)
    }

    fn open<'c>(_: &'c SourceMap, cache: &'c [u8]) -> Result<MapCache<&'c [u8]>> {
        Ok(MapCache::open(cache)?)
    }

    fn look_up(opened: &MapCache<&[u8]>, line: u32, column: u32) -> Option<(u32, u32)> {
        let found = opened.lookup(line, column).ok()??;
        Some((found.line, found.column))
    }

    fn lines(opened: &MapCache<&[u8]>, line: u32, column: u32) -> usize {
        let Ok(Some(found)) = opened.lookup(line, column) else {
            return 0;
        };
        match opened.source_lines(found.source, found.line, AROUND) {
            Ok(Some(lines)) => lines.lines.iter().map(String::len).sum(),
            _ => 0,
        }
    }
}

pub(super) struct Sourcemap;

impl Reader for Sourcemap {
    type Parsed = sourcemap::SourceMap;
    type Opened<'c> = &'c sourcemap::SourceMap;

    const HAS_CACHE: bool = false;

    fn parse(given: &Given) -> Result<sourcemap::SourceMap> {
        Ok(sourcemap::SourceMap::from_slice(&given.json)?)
    }

    fn build(_: &sourcemap::SourceMap, _: &Given) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn open<'c>(parsed: &'c sourcemap::SourceMap, _: &'c [u8]) -> Result<&'c sourcemap::SourceMap> {
        Ok(parsed)
    }

    fn look_up(opened: &&sourcemap::SourceMap, line: u32, column: u32) -> Option<(u32, u32)> {
        let token = opened.lookup_token(line, column)?;
        (token.get_dst_line() == line && token.has_source()).then(|| token.get_src())
    }

    fn lines(opened: &&sourcemap::SourceMap, line: u32, column: u32) -> usize {
        let Some(token) = opened.lookup_token(line, column) else {
            return 0;
        };
        let (line, view) = (token.get_src_line(), token.get_source_view());
        let lines = line.saturating_sub(AROUND)..=line + AROUND;
        lines
            .filter_map(|line| view?.get_line(line))
            .map(str::len)
            .sum()
    }
}

pub(super) struct Symbolic;

impl Reader for Symbolic {
    type Parsed = ();
    type Opened<'c> = SourceMapCache<'c>;

    const HAS_PARSE: bool = false;

    fn parse(_: &Given) -> Result<()> {
        Ok(())
    }

    fn build((): &(), given: &Given) -> Result<Vec<u8>> {
        let json = std::str::from_utf8(&given.json)?;
        let writer = SourceMapCacheWriter::new(&given.bundle, json)?;
        let mut bytes = Vec::new();
        writer.serialize(&mut bytes)?;
        Ok(bytes)
    }

    fn open<'c>((): &'c (), cache: &'c [u8]) -> Result<SourceMapCache<'c>> {
        SourceMapCache::parse(cache)
            .ok()
            .context("its own cache does not open")
    }

    fn look_up(opened: &SourceMapCache<'_>, line: u32, column: u32) -> Option<(u32, u32)> {
        let found = opened.lookup(SourcePosition::new(line, column))?;
        found.file()?;
        Some((found.line(), found.column()))
    }

    fn lines(opened: &SourceMapCache<'_>, line: u32, column: u32) -> usize {
        let Some(found) = opened.lookup(SourcePosition::new(line, column)) else {
            return 0;
        };
        let (line, file) = (found.line(), found.file());
        let lines = line.saturating_sub(AROUND)..=line + AROUND;
        lines
            .filter_map(|line| file.as_ref()?.line(line as usize))
            .map(str::len)
            .sum()
    }
}
