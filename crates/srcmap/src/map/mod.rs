//! Source maps as ECMA-426 has them: read leniently, or checked against every rule.

mod check;
mod document;
mod head;
mod limits;
mod mappings;
mod parse;
mod vlq;

pub use check::{MAX_VIOLATIONS, Place, Rule, Violation, check};
pub use head::{MapHead, head};
pub use limits::{MapError, MapLimits};

use crate::DebugId;

/// A source map that was read: a regular one, or an index map made flat.
///
/// What engines forgive is forgiven: fields of a wrong type count as missing, segments that point nowhere count as "not mapped", tokens need no order.
/// What would make a wrong line is not: `mappings` outside its grammar is an error. [`check`] forgives nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    file: Option<String>,
    debug_id: Option<DebugId>,
    sources: Vec<Source>,
    names: Vec<String>,
    tokens: Vec<Token>,
}

/// One entry of `sources`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// As the map has it, behind `sourceRoot` and a slash where the map has a root. Not resolved against anything. `None` where the map has `null`.
    pub name: Option<String>,
    /// The text, from `sourcesContent`.
    pub content: Option<String>,
    /// In `ignoreList`: code of others, or of the bundler.
    pub is_ignored: bool,
}

/// One segment of `mappings`: from this position of the generated code on, to the next token or the end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    line: u32,
    column: u32,
    source: u32,
    original_line: u32,
    original_column: u32,
    name: u32,
}

/// A position in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Original {
    /// Index into [`SourceMap::sources`].
    pub source: u32,
    /// Counted from 0.
    pub line: u32,
    /// Counted from 0, in UTF-16 units.
    pub column: u32,
}

const NONE: u32 = u32::MAX;

impl SourceMap {
    /// Reads a source map, with or without a byte order mark or the line `)]}'` in front of it.
    ///
    /// Memory is bounded by the limits: three times the bytes, 24 bytes a segment, and what small strings cost.
    pub fn parse(json: &[u8], limits: &MapLimits) -> Result<Self, MapError> {
        parse::parse(json, limits)
    }

    /// `file`: the name of the generated code, if the map has it.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// `debugId` or, from older tools, `debug_id`. Two that differ count as none.
    pub fn debug_id(&self) -> Option<DebugId> {
        self.debug_id
    }

    /// `sources` with their contents; those of an index map one section after the other.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// `names`; those of an index map one section after the other.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// All tokens in the order of the generated code. Of several at one position the last one counts.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The token that covers a position: the last one at or before it on its line, if that one is mapped.
    ///
    /// A token never reaches into the next line: where a line has none before the position, the position is not mapped.
    pub fn token_at(&self, line: u32, column: u32) -> Option<&Token> {
        let behind = self
            .tokens
            .partition_point(|token| (token.line, token.column) <= (line, column));
        let token = &self.tokens[behind.checked_sub(1)?];
        (token.line == line && token.is_mapped()).then_some(token)
    }

    /// The name that a token gives, from `names`.
    pub fn name_of(&self, token: &Token) -> Option<&str> {
        let name = self.names.get(token.name()? as usize)?;
        Some(name)
    }
}

impl Token {
    /// Line of the generated code, counted from 0.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Column of the generated code, counted from 0, in UTF-16 units.
    pub fn column(&self) -> u32 {
        self.column
    }

    /// Whether this piece of generated code comes from a source at all.
    pub fn is_mapped(&self) -> bool {
        self.source != NONE
    }

    /// Where it comes from. `None` for segments of one field, and for those that point outside of `sources`.
    pub fn original(&self) -> Option<Original> {
        self.is_mapped().then_some(Original {
            source: self.source,
            line: self.original_line,
            column: self.original_column,
        })
    }

    /// Index into [`SourceMap::names`].
    pub fn name(&self) -> Option<u32> {
        (self.name != NONE).then_some(self.name)
    }
}
