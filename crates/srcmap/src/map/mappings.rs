//! `mappings` into tokens (ECMA-426, "DecodeMappings").

use super::vlq::{self, VlqError};
use super::{NONE, Token};

/// What the numbers of one `mappings` are relative to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frame {
    /// Offset of the section in the generated code.
    pub(super) line: u32,
    /// Counts on the section's first line only.
    pub(super) column: u32,
    /// First token of the next section; what reaches it is cut.
    pub(super) end: Option<(u32, u32)>,
    pub(super) sources: Range,
    pub(super) names: Range,
}

/// Where a section's entries lie in the list of all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// Why `mappings` could not be read, and where.
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) segment: u32,
    pub(super) why: Why,
}

pub(super) enum Why {
    Vlq(VlqError),
    /// Two or three fields, or more than five.
    Fields(u32),
    /// More tokens than allowed.
    TooMany,
}

/// Appends the tokens of `mappings`. Returns whether they are in order.
pub(super) fn decode(
    mappings: &[u8],
    frame: &Frame,
    limit: usize,
    tokens: &mut Vec<Token>,
) -> Result<bool, Broken> {
    let mut decoder = Decoder {
        bytes: mappings,
        at: 0,
        state: [0; 5],
    };
    let first = tokens.len();
    let mut line: u32 = 0;
    let mut segment: u32 = 0;
    let mut is_sorted = true;
    while let Some(&byte) = mappings.get(decoder.at) {
        match byte {
            b';' => {
                decoder.at += 1;
                decoder.state[0] = 0;
                line = line.saturating_add(1);
                segment = 0;
            }
            // Two commas with nothing between them: some tools write that, and every engine reads over it.
            b',' => {
                decoder.at += 1;
                segment = segment.saturating_add(1);
            }
            _ => {
                let broken = |why| Broken { line, segment, why };
                let fields = decoder.segment().map_err(broken)?;
                let Some(token) = decoder.token(fields, line, frame) else {
                    continue;
                };
                if tokens.len() == limit {
                    return Err(broken(Why::TooMany));
                }
                let position = (token.line, token.column);
                if let Some(last) = tokens.get(first..).and_then(<[Token]>::last) {
                    is_sorted &= (last.line, last.column) <= position;
                }
                tokens.push(token);
            }
        }
    }
    Ok(is_sorted)
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Generated column, source, line, column, name: sums of all numbers so far.
    state: [i64; 5],
}

impl Decoder<'_> {
    /// Reads one segment into the state; returns how many fields it had.
    #[inline]
    fn segment(&mut self) -> Result<u32, Why> {
        let mut fields = 0;
        loop {
            let number = vlq::decode(self.bytes, &mut self.at).map_err(Why::Vlq)?;
            let Some(sum) = self.state.get_mut(fields) else {
                return Err(Why::Fields(fields as u32 + 1));
            };
            // At most 2^28 numbers of 32 bits: no overflow.
            *sum += i64::from(number);
            fields += 1;
            if matches!(self.bytes.get(self.at), None | Some(b',' | b';')) {
                break;
            }
        }
        match fields {
            1 | 4 | 5 => Ok(fields as u32),
            _ => Err(Why::Fields(fields as u32)),
        }
    }

    #[inline]
    fn token(&self, fields: u32, line: u32, frame: &Frame) -> Option<Token> {
        let [column, source, original_line, original_column, name] = self.state;
        let shift = if line == 0 { frame.column } else { 0 };
        // A position before the line's begin, or beyond what 32 bits can say, is none. Its numbers still count for those behind it:
        // that is what its writer meant.
        let column = u32::try_from(column).ok()?.checked_add(shift)?;
        let line = frame.line.checked_add(line)?;
        if frame.end.is_some_and(|end| (line, column) >= end) {
            return None;
        }
        let mut token = Token {
            line,
            column,
            source: NONE,
            original_line: 0,
            original_column: 0,
            name: NONE,
        };
        if fields >= 4
            && let Some(source) = frame.sources.absolute(source)
            && let Ok(original_line) = u32::try_from(original_line)
            && let Ok(original_column) = u32::try_from(original_column)
        {
            token.source = source;
            token.original_line = original_line;
            token.original_column = original_column;
            if fields == 5 {
                token.name = frame.names.absolute(name).unwrap_or(NONE);
            }
        }
        Some(token)
    }
}

impl Range {
    #[inline]
    fn absolute(self, index: i64) -> Option<u32> {
        let index = u32::try_from(index).ok()?;
        (index < self.len).then(|| self.start + index)
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vlq(error) => error.fmt(formatter),
            Self::Fields(count) => write!(
                formatter,
                "a segment has 1, 4 or 5 fields, this one {count}"
            ),
            Self::TooMany => formatter.write_str("too many segments"),
        }
    }
}

impl std::fmt::Display for VlqError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated => formatter.write_str("a number ends in the middle"),
            Self::NotBase64(byte) if byte.is_ascii_graphic() => {
                write!(formatter, "{:?} is no digit of base64", *byte as char)
            }
            Self::NotBase64(byte) => write!(formatter, "byte {byte:#04x} is no digit of base64"),
            Self::Overflow => formatter.write_str("a number has more than 32 bits"),
        }
    }
}
