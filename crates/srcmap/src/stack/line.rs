//! Lines of the text, and what is read from one.

use std::ops::Range;

use super::at_sign;
use super::at_word;
use super::location::Location;
use super::{Bare, Frame};

/// One line without its end.
pub(super) struct Line<'a> {
    pub(super) index: usize,
    /// Bytes before it in the text.
    pub(super) start: usize,
    pub(super) text: &'a str,
}

/// A frame with ranges inside of its line.
pub(super) struct FrameLine<'a> {
    /// The text of `function_range`.
    pub(super) function: &'a str,
    pub(super) function_range: Option<Range<usize>>,
    pub(super) location: Location<'a>,
    pub(super) location_range: Range<usize>,
    pub(super) is_constructor: bool,
    pub(super) is_async: bool,
    pub(super) bare: Bare,
}

/// All lines; what follows the last `\n` is one unless it is empty.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .enumerate()
        .map(move |(index, whole)| {
            let text = whole.strip_suffix('\n').unwrap_or(whole);
            let text = text.strip_suffix('\r').unwrap_or(text);
            let line = Line { index, start, text };
            start += whole.len();
            line
        })
}

impl<'a> FrameLine<'a> {
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let content = line.trim_matches([' ', '\t']);
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let mut found = if let Some(call) = content.strip_prefix("at ") {
            at_word::read(call)?.moved("at ".len())
        } else {
            at_sign::read(content)?
        };
        found = found.moved(indent);
        Some(found)
    }

    /// The same frame in a line that has more bytes before it.
    fn moved(mut self, by: usize) -> Self {
        let moved = |range: Range<usize>| range.start + by..range.end + by;
        self.function_range = self.function_range.map(moved);
        self.location_range = moved(self.location_range);
        self
    }

    pub(super) fn into_frame(self, line: &Line<'a>) -> Frame<'a> {
        let at = self.moved(line.start);
        let is_unnamed = at.function.is_empty() || at.function == "<anonymous>";
        Frame {
            line_index: line.index,
            function: (!is_unnamed).then_some(at.function),
            url: at.location.url,
            line: at.location.line,
            column: at.location.column,
            function_range: at.function_range,
            location_range: at.location_range,
            kind: at.location.kind,
            is_constructor: at.is_constructor,
            is_async: at.is_async,
            bare: at.bare,
        }
    }
}
