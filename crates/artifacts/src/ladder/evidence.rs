//! What bundles and maps say about each other, read once.

use std::ops::Range;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use srcmap::DebugId;
use srcmap::fit::{Fit, fit};
use srcmap::map::{MapLimits, SourceMap};
use srcmap::minified::{decode_data_url, inspect};

use super::Found;
use super::miss::Contradiction;
use super::shelf::{Pair, Shelf, ShelfError};
use crate::digest::Sha256;

/// Texts of bundles that are kept, in bytes.
const BUNDLES_BYTES: u64 = 64 << 20;
/// A map in a bundle may have so many bytes.
const MAX_INLINE_BYTES: usize = 64 << 20;
/// Verdicts on pairs that are kept.
const FITS: usize = 20_000;

/// A place in a script as a stack trace has it: both 1-based, the column in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in UTF-16 units.
    pub column: u32,
}

/// A bundle's text.
pub(super) struct Bundle {
    pub(super) text: String,
    pub(super) debug_id: Option<DebugId>,
    /// The comment in it, where that is no `data:` URL.
    pub(super) map_reference: Option<String>,
    /// Where the text has a `data:` URL with its map.
    inline_map: Option<Range<usize>>,
    /// Byte offsets.
    line_starts: Vec<usize>,
}

/// Keeps what was read of bundles and pairs. Bounded.
pub(super) struct Evidence {
    bundles: Cache<Sha256, Arc<Bundle>, TextLength>,
    fits: Cache<Pair, Fit>,
}

/// What positions say of a map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Exact {
    /// At the start of a mapping.
    pub(super) hit: usize,
    /// Within one.
    pub(super) missed: usize,
}

#[derive(Clone)]
struct TextLength;

impl Weighter<Sha256, Arc<Bundle>> for TextLength {
    fn weight(&self, _: &Sha256, bundle: &Arc<Bundle>) -> u64 {
        bundle.text.len() as u64 + 1000
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            bundles: Cache::with_weighter(64, BUNDLES_BYTES, TextLength),
            fits: Cache::new(FITS),
        }
    }
}

impl Evidence {
    pub(super) fn bundle(&self, shelf: &dyn Shelf, id: Sha256) -> Result<Arc<Bundle>, ShelfError> {
        self.bundles.get_or_insert_with(&id, || {
            let bytes = shelf.read(id)?;
            Ok(Arc::new(Bundle::read(&bytes)?))
        })
    }

    /// How well `map` fits the bundle of `pair`; the map is read by `read_map` where nobody knows yet.
    pub(super) fn fit(
        &self,
        pair: Pair,
        bundle: &Bundle,
        read_map: impl FnOnce() -> Result<Arc<[u8]>, ShelfError>,
    ) -> Result<Fit, ShelfError> {
        self.fits.get_or_insert_with(&pair, || {
            let map = SourceMap::parse(&read_map()?, &MapLimits::default())
                .map_err(|error| ShelfError::BadFile(error.to_string()))?;
            Ok(fit(&bundle.text, &map))
        })
    }

    /// The bytes of a map that was found, which may be in its bundle.
    pub(super) fn read_map(
        &self,
        shelf: &dyn Shelf,
        found: &Found,
    ) -> Result<Arc<[u8]>, ShelfError> {
        match found.pair.minified {
            Some(minified) if found.is_inline => {
                let unreadable = "the map in the bundle cannot be read";
                let bundle = self.bundle(shelf, minified)?;
                bundle
                    .inline_map()
                    .ok_or_else(|| ShelfError::BadFile(unreadable.to_owned()))
            }
            _ => shelf.read(found.pair.map),
        }
    }

    /// How many positions are where calls are: exactly where the map has a mapping, or at the parenthesis behind an expression that is called, for which V8
    /// gives that. Positions that the map does not cover, such as a bundler's wrapper, count for neither side.
    pub(super) fn exact(
        map: &[u8],
        bundle: &Bundle,
        positions: &[Position],
    ) -> Result<Exact, ShelfError> {
        let map = SourceMap::parse(map, &MapLimits::default())
            .map_err(|error| ShelfError::BadFile(error.to_string()))?;
        let mut exact = Exact::default();
        for position in positions {
            let (line, column) = (
                position.line.saturating_sub(1),
                position.column.saturating_sub(1),
            );
            match map.token_at(line, column) {
                Some(token) if !token.is_mapped() => {}
                Some(token) if token.column() == column => exact.hit += 1,
                Some(_) if bundle.is_at(*position, '(') => exact.hit += 1,
                Some(_) => exact.missed += 1,
                None => {}
            }
        }
        Ok(exact)
    }
}

impl Bundle {
    fn read(bytes: &[u8]) -> Result<Self, ShelfError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| {
                ShelfError::BadFile(format!("no UTF-8 at byte {}", error.valid_up_to()))
            })?
            .to_owned();
        let mut line_starts = vec![0];
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let ends_line = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends_line {
                line_starts.push(at + 1);
            }
        }
        let facts = inspect(bytes);
        let inline_map = facts.inline_map.map(|url| {
            let start = url.as_ptr() as usize - bytes.as_ptr() as usize;
            start..start + url.len()
        });
        Ok(Self {
            debug_id: facts.debug_id,
            map_reference: facts.source_mapping_url,
            inline_map,
            line_starts,
            text,
        })
    }

    /// The map that the bundle has in a `data:` URL.
    pub(super) fn inline_map(&self) -> Option<Arc<[u8]>> {
        let url = &self.text.as_bytes()[self.inline_map.clone()?];
        decode_data_url(url, MAX_INLINE_BYTES).ok().map(Arc::from)
    }

    /// Why a frame at `position` cannot be of this bundle. `starts_words` where the engine is known to point at the first character of a word.
    pub(super) fn contradiction(
        &self,
        position: Position,
        starts_words: bool,
    ) -> Option<Contradiction> {
        let Position { line, column } = position;
        let Some((before, after)) = self.around(position) else {
            return Some(Contradiction::Outside { line, column });
        };
        let before = before.chars().next_back();
        let after = after.chars().next();
        let is_inside = before.is_some_and(is_word) && after.is_some_and(is_word);
        (starts_words && is_inside).then_some(Contradiction::InsideWord { line, column })
    }

    /// Whether more blocks end than begin between a column (from 0) and a position behind it.
    pub(super) fn leaves_block(&self, from_column: u32, position: Position) -> bool {
        let from = Position {
            line: position.line,
            column: from_column.saturating_add(1),
        };
        let (Some((before, _)), Some((until, _))) = (self.around(from), self.around(position))
        else {
            return false;
        };
        let mut depth = 0_i32;
        let text = until.get(before.len()..).unwrap_or_default();
        text.bytes().any(|byte| {
            depth += i32::from(byte == b'{') - i32::from(byte == b'}');
            depth < 0
        })
    }

    fn is_at(&self, position: Position, character: char) -> bool {
        self.around(position)
            .is_some_and(|(_, after)| after.starts_with(character))
    }

    /// The line of a position, before and after it; `None` outside of the text.
    fn around(&self, position: Position) -> Option<(&str, &str)> {
        let line = position.line.checked_sub(1)? as usize;
        let column = position.column.checked_sub(1)?;
        let start = *self.line_starts.get(line)?;
        let end = self.line_starts.get(line + 1).copied();
        let text = &self.text[start..end.unwrap_or(self.text.len())];
        let text = text.trim_end_matches(['\n', '\r']);
        let at = byte_of_column(text, column)?;
        Some(text.split_at(at))
    }
}

/// The byte at which a column in UTF-16 units begins; the end of the line is one too.
fn byte_of_column(line: &str, column: u32) -> Option<usize> {
    let column = column as usize;
    // Where the line is ASCII up to there, the two are the same.
    if line.get(..column).is_some_and(str::is_ascii) {
        return Some(column);
    }
    let mut units = 0;
    for (at, character) in line.char_indices() {
        if units >= column {
            return Some(at);
        }
        units += character.len_utf16();
    }
    (units == column).then_some(line.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradiction(text: &str, line: u32, column: u32) -> Option<Contradiction> {
        let bundle = Bundle::read(text.as_bytes()).unwrap();
        bundle.contradiction(Position { line, column }, true)
    }

    #[test]
    fn a_position_behind_the_end_of_a_block_is_in_another_one() {
        let bundle = Bundle::read(b"{run(`${a}`);x()}();y()").unwrap();
        let leaves = |from, column| bundle.leaves_block(from, Position { line: 1, column });
        assert!(!leaves(1, 14));
        assert!(!leaves(13, 16));
        assert!(leaves(13, 19));
        assert!(!leaves(20, 21));
    }

    #[test]
    fn a_frame_has_to_be_inside_of_the_bundle_and_at_the_start_of_a_word() {
        let text = "a.chargeCustomer(1)\r\nlet 𝒳y=\"é\";throw b";
        for (line, column, expected) in [
            (1, 1, None),
            (1, 3, None),
            (1, 4, Some(Contradiction::InsideWord { line: 1, column: 4 })),
            (1, 20, None),
            (
                1,
                21,
                Some(Contradiction::Outside {
                    line: 1,
                    column: 21,
                }),
            ),
            (2, 13, None),
            (
                2,
                14,
                Some(Contradiction::InsideWord {
                    line: 2,
                    column: 14,
                }),
            ),
            (3, 1, Some(Contradiction::Outside { line: 3, column: 1 })),
            (0, 1, Some(Contradiction::Outside { line: 0, column: 1 })),
            (1, 0, Some(Contradiction::Outside { line: 1, column: 0 })),
        ] {
            assert_eq!(
                contradiction(text, line, column),
                expected,
                "{line}:{column}"
            );
        }
    }
}
