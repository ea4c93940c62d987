//! Whether a bundle and a source map belong together, by what is written in both.
//!
//! A map says: what stands here in the bundle came from there in the source. Keywords, names of properties and of globals, strings and numbers survive
//! a minifier, so for the bundle that the map was made with, the same text stands at both ends. For another one it does not. Some maps know statements
//! alone (terser 5.6.1 under webpack 5.60): there the text stands somewhere between the place that the map gives and the next one on the line.
//!
//! Measured with lodash, React, react-dom, three, TypeScript and Vue, bundled by esbuild with and without minification and minified by terser, before
//! the text between two places counted:
//!
//! | pair | share | weakest part |
//! |---|---|---|
//! | true (15 pairs) | 0.876 to 1.000 | 0.354 to 0.994 |
//! | of two different programs or tools | at most 0.0034 | not looked at |
//! | of two builds of lodash, one with a statement more near its begin | 0.068, 0.069 | 0 |
//! | of two builds of lodash, one with another word in one string of equal length | one token less than the true one | 0.5, as the true one |
//!
//! The document's webpack configuration with webpack 4, 5.60 and current, by a prototype of the rule as it is now: 0.95, 0.99 and 0.96 for
//! the true pairs, the weakest part 0.71, and at most 0.01 for the six wrong ones.
//!
//! A comment that was changed makes the same bundle: two such maps fit equally, though their lines differ. That is for the caller to notice.

use crate::map::{Original, SourceMap, Token};
use crate::text::TextIndex;

/// Tokens that are compared at most; of larger maps every n-th one.
pub const MAX_COMPARED: usize = 100_000;

/// How well a bundle and a map fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// `same / compared`: 0 to 1, and 0 where nothing could be compared.
    pub share: f64,
    /// The share of that part of the bundle where it is lowest. Two builds of nearly the same source fit up to where they differ, and not behind it.
    pub weakest: f64,
    /// Tokens with the same text in bundle and source.
    pub same: u32,
    /// Tokens whose texts were compared.
    pub compared: u32,
    /// Tokens (of those looked at) that lie outside of the bundle's text. A map has none in its own bundle.
    pub outside: u32,
}

/// The bundle is looked at in so many parts, or in fewer if these would have less than [`PART_TOKENS`].
const PARTS: usize = 32;
const PART_TOKENS: usize = 32;

impl Fit {
    /// Tokens that have to be compared before a share says anything.
    pub const MIN_COMPARED: u32 = 16;
    /// The share from which on bundle and map belong together.
    pub const MIN_SHARE: f64 = 0.6;
    /// The share that the weakest part has to have.
    pub const MIN_WEAKEST: f64 = 0.2;

    /// Whether bundle and map belong together, as far as their texts can tell.
    ///
    /// `false` with fewer than [`Self::MIN_COMPARED`] tokens compared (most often because the map has no contents of sources) does not say that they do
    /// not. Of two maps that both match, the one with the higher share was made with the bundle; with equal shares both were made with the same text.
    pub fn is_match(&self) -> bool {
        self.compared >= Self::MIN_COMPARED
            && self.share >= Self::MIN_SHARE
            && self.weakest >= Self::MIN_WEAKEST
            && self.outside == 0
    }

    fn of(outcomes: &[bool], outside: u32) -> Self {
        let same_of = |part: &[bool]| part.iter().filter(|&&is_same| is_same).count();
        let share_of = |part: &[bool]| match part.len() {
            0 => 0.0,
            len => same_of(part) as f64 / len as f64,
        };
        let size = outcomes.len().div_ceil(PARTS).max(PART_TOKENS);
        let whole_parts = outcomes.chunks_exact(size).map(share_of);
        let last_part = &outcomes[outcomes.len().saturating_sub(size)..];
        Self {
            share: share_of(outcomes),
            weakest: whole_parts.fold(share_of(last_part), f64::min),
            same: same_of(outcomes) as u32,
            compared: outcomes.len() as u32,
            outside,
        }
    }
}

/// Compares a bundle with the sources that a map has for it.
///
/// Only tokens count whose word in the bundle is an identifier of three characters or more (shorter ones are what minifiers rename to), a number or a
/// string, and whose source has its content in the map.
pub fn fit(minified: &str, map: &SourceMap) -> Fit {
    let bundle = TextIndex::new(minified);
    let mut sources: Vec<Option<TextIndex<'_>>> = map.sources().iter().map(|_| None).collect();
    let step = map.tokens().len().div_ceil(MAX_COMPARED).max(1);
    let originals = Originals::of(map);
    let mut outcomes = Vec::new();
    let mut outside = 0;
    for token in map.tokens().iter().step_by(step) {
        let Some(at) = bundle.offset(token.line(), token.column()) else {
            outside += 1;
            continue;
        };
        outcomes.extend(compare(token, minified, at, map, &originals, &mut sources));
    }
    Fit::of(&outcomes, outside)
}

/// `None` for a token that says nothing.
fn compare<'m>(
    token: &Token,
    minified: &str,
    at: usize,
    map: &'m SourceMap,
    originals: &Originals,
    sources: &mut [Option<TextIndex<'m>>],
) -> Option<bool> {
    let original = token.original()?;
    let source = original.source as usize;
    let content = map.sources().get(source)?.content.as_deref()?;
    let word = word_at(minified, at)?;
    if word.is_too_short() {
        return None;
    }
    // A token begins where a word begins.
    if is_within_word(minified, at) {
        return Some(false);
    }
    let index = sources
        .get_mut(source)?
        .get_or_insert_with(|| TextIndex::new(content));
    let Some(from) = index.offset(original.line, original.column) else {
        return Some(false);
    };
    let written = word_at(content, from);
    if written == Some(word) {
        return Some(true);
    }
    // Maps of statements alone have no columns: the word stands somewhere before the next place that the map knows.
    let to = originals.next_on_line(original);
    let to = to.and_then(|column| index.offset(original.line, column));
    if word.stands_in(stretch(content, from, to)) {
        return Some(true);
    }
    // The map itself says that this was renamed: no evidence for either.
    let is_renamed = match (map.name_of(token), written, word) {
        (Some(name), Some(Word::Identifier(written)), Word::Identifier(_)) => name == written,
        _ => false,
    };
    (!is_renamed).then_some(false)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'t> {
    Identifier(&'t str),
    Number(&'t str),
    /// Without its quotes, which minifiers exchange, and no more of it than [`STRING_BYTES`].
    String(&'t [u8]),
}

/// All places that a map has in sources, in order.
struct Originals(Vec<(u32, u32, u32)>);

impl Originals {
    fn of(map: &SourceMap) -> Self {
        let originals = map.tokens().iter().filter_map(Token::original);
        let mut places: Vec<_> = originals
            .map(|original| (original.source, original.line, original.column))
            .collect();
        places.sort_unstable();
        places.dedup();
        Self(places)
    }

    /// The column of the next place on the same line.
    fn next_on_line(&self, original: Original) -> Option<u32> {
        let Original {
            source,
            line,
            column,
        } = original;
        let next = self
            .0
            .partition_point(|place| *place <= (source, line, column));
        let (next_source, next_line, next_column) = *self.0.get(next)?;
        ((next_source, next_line) == (source, line)).then_some(next_column)
    }
}

/// The text from `from` to `to`, or to the end of the line.
fn stretch(content: &str, from: usize, to: Option<usize>) -> &str {
    let rest = &content[from..];
    let mut end = match to {
        Some(to) => to.saturating_sub(from),
        None => memchr::memchr2(b'\n', b'\r', rest.as_bytes()).unwrap_or(rest.len()),
    };
    end = end.min(rest.len()).min(STRETCH_BYTES);
    while !rest.is_char_boundary(end) {
        end -= 1;
    }
    &rest[..end]
}

/// A longer stretch of a line says little: any word may stand in it.
const STRETCH_BYTES: usize = 400;
const IDENTIFIER_CHARACTERS: usize = 3;
const STRING_BYTES: usize = 64;

impl Word<'_> {
    fn is_too_short(self) -> bool {
        match self {
            Self::Identifier(text) => text.chars().nth(IDENTIFIER_CHARACTERS - 1).is_none(),
            Self::Number(_) => false,
            Self::String(text) => text.is_empty(),
        }
    }

    /// Whether a text has the word, whole.
    fn stands_in(self, text: &str) -> bool {
        let needle = match self {
            Self::Identifier(word) | Self::Number(word) => word.as_bytes(),
            Self::String(word) => word,
        };
        memchr::memmem::find_iter(text.as_bytes(), needle).any(|at| {
            text.is_char_boundary(at)
                && (matches!(self, Self::String(_))
                    || word_at(text, at) == Some(self) && !is_within_word(text, at))
        })
    }
}

fn word_at(text: &str, at: usize) -> Option<Word<'_>> {
    let rest = text.get(at..)?;
    let first = rest.chars().next()?;
    if first.is_ascii_digit() {
        let end =
            rest.find(|character: char| !is_part_of_identifier(character) && character != '.');
        return Some(Word::Number(&rest[..end.unwrap_or(rest.len())]));
    }
    if is_part_of_identifier(first) {
        let end = rest.find(|character| !is_part_of_identifier(character));
        return Some(Word::Identifier(&rest[..end.unwrap_or(rest.len())]));
    }
    if matches!(first, '"' | '\'' | '`') {
        let inner = &rest.as_bytes()[1..];
        let inner = &inner[..inner.len().min(STRING_BYTES)];
        let end = memchr::memchr(first as u8, inner).unwrap_or(inner.len());
        return Some(Word::String(&inner[..end]));
    }
    None
}

fn is_within_word(text: &str, at: usize) -> bool {
    let continues = text[at..].chars().next().is_some_and(is_part_of_identifier);
    let before = text[..at].chars().next_back();
    continues && before.is_some_and(is_part_of_identifier)
}

fn is_part_of_identifier(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '$' => true,
        character => !character.is_ascii() && character.is_alphanumeric(),
    }
}
