//! The function around a position in an original source: JavaScript, TypeScript, and both with JSX.
//!
//! ```
//! let source = "class Cart {\n  pay() {\n    throw new Error();\n  }\n}\n";
//! let scopes = srcmap::functions::scopes("src/cart.ts", source);
//! assert_eq!(scopes.name_at(2, 4), Some("Cart.pay"));
//! assert_eq!(scopes.name_at(0, 0), None);
//! ```
//!
//! Names are those that V8 shows: `Class.method`, `Class.get x`, the class for its constructor (frames say `new` themselves),
//! the variable, property or parameter that a function is given to, `default` for a default export without a name.
//! A function without a name has none, and hides the one around it.
//!
//! # Limits
//!
//! The parser recurses. It runs on a thread whose stack is large enough for a source in which each token is one level deeper
//! than the one before, so that no input overflows it; sources with more than [`MAX_TOKENS`] give no scopes.

mod collect;
mod guard;

pub use guard::MAX_TOKENS;

use std::cmp::Reverse;

use crate::cache::FunctionStart;

/// The functions of one source. More are left out, and [`Scopes::is_complete`] says so.
pub const MAX_SCOPES: usize = 200_000;

/// The functions of one source, by position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes {
    /// By start; those that begin together from the outermost to the innermost.
    ranges: Vec<Scope>,
    /// Of each range, the one around it.
    parents: Vec<Option<u32>>,
    is_incomplete: bool,
}

/// A function of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Its first character.
    pub start: Position,
    /// Behind its last character.
    pub end: Position,
    /// `None` for a function without a name.
    pub name: Option<String>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// From 0; lines end with `\n`.
    pub line: u32,
    /// From 0, in UTF-16 units.
    pub column: u32,
}

/// Reads the functions of a source. The extension of `name` says what it is; one that is unknown is read as JavaScript, files
/// of several languages (`.vue`, `.svelte`) give nothing. What can't be parsed gives what was read before, or nothing.
pub fn scopes(name: &str, text: &str) -> Scopes {
    guard::run(name, text).unwrap_or_else(|| Scopes {
        is_incomplete: true,
        ..Scopes::default()
    })
}

impl Scopes {
    /// Puts ranges that were kept in order. They come from one source, so each pair is nested or apart; others are not refused,
    /// and answer with one of those that hold a position.
    pub fn from_ranges(mut ranges: Vec<Scope>) -> Self {
        let is_incomplete = ranges.len() > MAX_SCOPES;
        ranges.truncate(MAX_SCOPES);
        ranges.sort_by_key(|scope| (scope.start, Reverse(scope.end)));
        let mut parents = Vec::with_capacity(ranges.len());
        let mut open: Vec<u32> = Vec::new();
        for (index, scope) in ranges.iter().enumerate() {
            while open
                .last()
                .is_some_and(|last| ranges[*last as usize].end <= scope.start)
            {
                open.pop();
            }
            parents.push(open.last().copied());
            open.push(index as u32);
        }
        Self {
            ranges,
            parents,
            is_incomplete,
        }
    }

    /// All functions, by start.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scope> {
        self.ranges.iter()
    }

    /// Where another function becomes the innermost one, from the start to the end of the source, as a [cache](crate::cache) keeps it.
    pub fn starts(&self) -> Vec<FunctionStart> {
        let mut starts: Vec<FunctionStart> = Vec::with_capacity(2 * self.ranges.len());
        let mut open: Vec<&Scope> = Vec::new();
        let mut put = |at: Position, name: Option<&String>| {
            let start = FunctionStart {
                line: at.line,
                column: at.column,
                name: name.cloned(),
            };
            match starts.last_mut() {
                // Of functions that begin or end at one place, the last word counts.
                Some(last) if (last.line, last.column) == (at.line, at.column) => *last = start,
                _ => starts.push(start),
            }
        };
        for scope in &self.ranges {
            while let Some(ended) = open.pop_if(|around| around.end <= scope.start) {
                put(
                    ended.end,
                    open.last().and_then(|around| around.name.as_ref()),
                );
            }
            put(scope.start, scope.name.as_ref());
            open.push(scope);
        }
        while let Some(ended) = open.pop() {
            put(
                ended.end,
                open.last().and_then(|around| around.name.as_ref()),
            );
        }
        starts
    }

    /// Whether no function was left out for a limit, or because the source can't be read.
    pub fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// The innermost function that holds the position. Takes the logarithm of the number of functions, and their depth.
    pub fn at(&self, line0: u32, column0_utf16: u32) -> Option<&Scope> {
        let position = Position {
            line: line0,
            column: column0_utf16,
        };
        let after = self.ranges.partition_point(|scope| scope.start <= position);
        let mut index = after.checked_sub(1)?;
        while self.ranges[index].end <= position {
            index = self.parents[index]? as usize;
        }
        Some(&self.ranges[index])
    }

    /// The name of the innermost function that holds the position; `None` when it has no name, or there is no function.
    pub fn name_at(&self, line0: u32, column0_utf16: u32) -> Option<&str> {
        self.at(line0, column0_utf16)?.name.as_deref()
    }
}
