//! Debug ids: what a bundle and its map have in common.

use std::fmt;
use std::str::FromStr;

/// The id that a build tool wrote into a bundle and into its source map, so that each can be found by the other.
///
/// 128 bits in the form of a UUID ([proposal of ECMA-426](https://github.com/tc39/ecma426/blob/main/proposals/debug-id.md)). Which version of
/// UUID it is says nothing here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DebugId([u8; 16]);

/// What was given is no debug id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a debug id: 32 hexadecimal digits, with hyphens as in a UUID or without")]
pub struct InvalidDebugId(String);

impl DebugId {
    /// The id with these bytes, in the order in which they are written.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes in the order in which they are written.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads 32 hexadecimal digits of either case, with hyphens where a UUID has them or with none at all.
    pub fn parse(text: &str) -> Result<Self, InvalidDebugId> {
        Self::from_text(text.as_bytes()).ok_or_else(|| {
            let shown: String = text.chars().take(64).collect();
            InvalidDebugId(shown)
        })
    }

    /// Whether `text` is the one form that the proposal allows in a file: hyphens, 36 characters.
    pub(crate) fn is_canonical(text: &str) -> bool {
        text.len() == 36 && Self::from_text(text.as_bytes()).is_some()
    }

    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let hyphens: &[usize] = match text.len() {
            32 => &[],
            36 => &[8, 13, 18, 23],
            _ => return None,
        };
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (at, &character) in text.iter().enumerate() {
            if hyphens.contains(&at) {
                if character != b'-' {
                    return None;
                }
                continue;
            }
            let digit = (character as char).to_digit(16)? as u8;
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
            digits += 1;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for DebugId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DebugId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DebugId({self})")
    }
}

impl FromStr for DebugId {
    type Err = InvalidDebugId;

    fn from_str(text: &str) -> Result<Self, InvalidDebugId> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_id_is_read_with_and_without_hyphens_in_either_case_and_written_in_one_form() {
        let written = "85314830-023f-4cf1-a267-535f4e37bb17";
        for text in [
            written,
            "85314830023f4cf1a267535f4e37bb17",
            "85314830-023F-4CF1-A267-535F4E37BB17",
        ] {
            assert_eq!(DebugId::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(
            written.parse::<DebugId>().unwrap().as_bytes()[..2],
            [0x85, 0x31]
        );
    }

    #[test]
    fn what_is_not_a_uuid_is_refused_with_what_it_was() {
        for text in [
            "",
            "85314830",
            "85314830-023f-4cf1-a267-535f4e37bb1",
            "85314830-023f-4cf1-a267-535f4e37bb1g",
            "85314830+023f-4cf1-a267-535f4e37bb17",
            "8531483-0023f-4cf1-a267-535f4e37bb17",
            "éééééééééééééééé",
        ] {
            let error = DebugId::parse(text).unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("{text:?}")),
                "{error}"
            );
        }
    }
}
