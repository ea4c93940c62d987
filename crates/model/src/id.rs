//! Trace and span ids.

use std::fmt;

/// A trace's id: 16 bytes, not all zero when it came from a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TraceId(pub [u8; 16]);

/// A span's id: 8 bytes, not all zero when it came from a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpanId(pub [u8; 8]);

/// Text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("an id must have at least one hexadecimal digit")]
    Empty,
    /// More significant digits than an id has.
    #[error("id {text:?} has more than {max_digits} significant hexadecimal digits")]
    TooLong {
        /// What was given.
        text: String,
        /// How many digits fit.
        max_digits: usize,
    },
    /// Something else than `0-9a-fA-F`.
    #[error("id {text:?} has a character that is not a hexadecimal digit: {character:?}")]
    NotHex {
        /// What was given.
        text: String,
        /// The first character that is wrong.
        character: char,
    },
}

/// Reads hexadecimal digits into the low end of `N` bytes. Short ids are padded, leading zeros may exceed the width.
fn parse<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if let Some(character) = text.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(IdError::NotHex {
            text: text.to_owned(),
            character,
        });
    }
    let digits = text.trim_start_matches('0').as_bytes();
    if digits.len() > 2 * N {
        return Err(IdError::TooLong {
            text: text.to_owned(),
            max_digits: 2 * N,
        });
    }
    let mut bytes = [0; N];
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = char::from(*digit).to_digit(16).unwrap_or_default() as u8;
        bytes[N - 1 - place / 2] |= value << (4 * (place % 2));
    }
    Ok(bytes)
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

macro_rules! id {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Reads hexadecimal text: any case, short ids are padded with zeros, leading zeros beyond the width are ignored.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }

            /// The id when `bytes` has its length.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Whether all bytes are zero, which no valid id is.
            pub fn is_zero(&self) -> bool {
                self.0 == [0; $len]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }
    };
}

id!(TraceId, 16);
id!(SpanId, 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_upper_case_and_padded_ids_are_the_same() {
        let id = TraceId::parse("463ac35c9f6413ad").unwrap();
        assert_eq!(id.to_string(), "0000000000000000463ac35c9f6413ad");
        for text in [
            "463AC35C9F6413AD",
            "0000000000000000463ac35c9f6413ad",
            "00000000000000000000463ac35c9f6413ad",
        ] {
            assert_eq!(TraceId::parse(text), Ok(id));
        }
        assert_eq!(
            SpanId::parse("abc").unwrap().to_string(),
            "0000000000000abc"
        );
        assert!(TraceId::parse("0").unwrap().is_zero());
    }

    #[test]
    fn what_is_no_id_is_named() {
        let check = |text: &str, message: &str| {
            assert_eq!(SpanId::parse(text).unwrap_err().to_string(), message);
        };
        check("", "an id must have at least one hexadecimal digit");
        check(
            "xyz",
            r#"id "xyz" has a character that is not a hexadecimal digit: 'x'"#,
        );
        check(
            "10000000000000000",
            r#"id "10000000000000000" has more than 16 significant hexadecimal digits"#,
        );
    }
}
