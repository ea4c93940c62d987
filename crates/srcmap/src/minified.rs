//! What a bundle says of itself: its debug id, and where its map is.

mod comments;
mod data_url;
mod snippet;

pub use data_url::{DataUrlError, decode_data_url};

use crate::DebugId;

/// What was found in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MinifiedFacts<'t> {
    /// The debug id, from the comment `//# debugId=…`, or else from the code that Sentry's tools put into a bundle.
    pub debug_id: Option<DebugId>,
    /// Which of the two it was.
    pub debug_id_source: Option<DebugIdSource>,
    /// Where the map is, from the comment `//# sourceMappingURL=…`, as it stands there. `None` if the map is in the comment itself.
    pub source_mapping_url: Option<String>,
    /// The comment's URL if it begins with `data:`: the map itself, for [`decode_data_url`].
    pub inline_map: Option<&'t [u8]>,
}

/// Where a debug id stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugIdSource {
    /// `//# debugId=…`.
    Comment,
    /// An assignment to `_sentryDebugIds` in the code.
    Snippet,
}

impl MinifiedFacts<'_> {
    /// Whether the bundle brings its map along.
    pub fn is_inline_map(&self) -> bool {
        self.inline_map.is_some()
    }
}

/// Reads what a bundle says of itself. Any bytes will do; it takes one pass over them, and little memory.
///
/// Comments count as ECMA-426 has it ("JavaScriptExtractSourceMapURL", without parsing): the last one of its kind, with nothing but comments and white
/// space behind it. A debug id may besides stand on one of the last five lines, as the proposal for debug ids has it. Two snippets with different ids
/// say nothing.
pub fn inspect(text: &[u8]) -> MinifiedFacts<'_> {
    let found = comments::find(text);
    let mut facts = MinifiedFacts::default();
    match found.source_mapping_url {
        Some(url) if data_url::is_data_url(url) => facts.inline_map = Some(url),
        Some(url) if !url.is_empty() => {
            facts.source_mapping_url = Some(String::from_utf8_lossy(url).into_owned());
        }
        _ => {}
    }
    if let Some(id) = found.debug_id {
        facts.debug_id = Some(id);
        facts.debug_id_source = Some(DebugIdSource::Comment);
    } else if let Some(id) = snippet::find(text) {
        facts.debug_id = Some(id);
        facts.debug_id_source = Some(DebugIdSource::Snippet);
    }
    facts
}
