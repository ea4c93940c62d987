//! Where a search goes on, as text that the client keeps.

use std::fmt;
use std::str::FromStr;

use model::TraceId;

use super::Position;

/// Begins the text; another form of it gets another one.
const VERSION: &str = "1";
/// Digits of a position: start and trace id.
const POSITION_DIGITS: usize = 16 + 32;
const NO_POSITION: &str = "-";

/// Where a page ended. It is text to everybody else, and means nothing to another search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The last trace that was given, in the order of the answer.
    pub(crate) after: Option<Position>,
    /// Where the sweep goes on.
    pub(crate) from: Option<Position>,
}

/// Text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor that a search gave")]
pub struct CursorError(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        for position in [self.after, self.from] {
            match position {
                Some(position) => {
                    write!(f, "{:016x}{}", position.start_unix_nano, position.trace_id)?;
                }
                None => f.write_str(NO_POSITION)?,
            }
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parsed = text.strip_prefix(VERSION).and_then(|rest| {
            let (after, rest) = take_position(rest)?;
            let (from, rest) = take_position(rest)?;
            rest.is_empty().then_some(Self { after, from })
        });
        parsed.ok_or_else(|| CursorError(text.to_owned()))
    }
}

fn take_position(text: &str) -> Option<(Option<Position>, &str)> {
    if let Some(rest) = text.strip_prefix(NO_POSITION) {
        return Some((None, rest));
    }
    let (digits, rest) = text.split_at_checked(POSITION_DIGITS)?;
    let (start, trace_id) = digits.split_at_checked(16)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let position = Position {
        start_unix_nano: u64::from_str_radix(start, 16).ok()?,
        trace_id: TraceId::parse(trace_id).ok()?,
    };
    Some((Some(position), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_wrote_and_nothing_else() {
        let position = Position {
            start_unix_nano: u64::MAX - 5,
            trace_id: TraceId([0xab; 16]),
        };
        for after in [None, Some(position)] {
            for from in [None, Some(position)] {
                let cursor = Cursor { after, from };
                let text = cursor.to_string();
                assert_eq!(text.parse(), Ok(cursor));
                assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
                for wrong in [&text[1..], &format!("2{}", &text[1..]), &format!("{text}0")] {
                    assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
                }
            }
        }
        for wrong in ["", "1", "1-", "1é", &format!("1-+{}", "0".repeat(47))] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }
}
