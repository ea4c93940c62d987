//! Names of bytes: SHA-1 as the upload protocol has it, SHA-256 as they are stored.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no {name}: {digits} hexadecimal digits are due")]
pub struct DigestError {
    /// The text, cut.
    text: String,
    name: &'static str,
    digits: usize,
}

/// SHA-1 of some bytes. It identifies what a client speaks of, within its organisation, and protects nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha1(pub [u8; 20]);

/// SHA-256 of some bytes; what is stored is named by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha1 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(<sha1::Sha1 as sha1::Digest>::digest(bytes).into())
    }
}

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
    }
}

/// Both digests of bytes that come piece by piece.
#[derive(Default)]
pub(crate) struct Digests {
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
}

impl Digests {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        sha1::Digest::update(&mut self.sha1, bytes);
        sha2::Digest::update(&mut self.sha256, bytes);
    }

    pub(crate) fn finish(self) -> (Sha1, Sha256) {
        (
            Sha1(sha1::Digest::finalize(self.sha1).into()),
            Sha256(sha2::Digest::finalize(self.sha256).into()),
        )
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn parse_hex<const N: usize>(text: &str, name: &'static str) -> Result<[u8; N], DigestError> {
    let error = || DigestError {
        text: text.chars().take(80).collect(),
        name,
        digits: 2 * N,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return Err(error());
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (high, low) else {
            return Err(error());
        };
        *byte = (high * 16 + low) as u8;
    }
    Ok(bytes)
}

macro_rules! digest_text {
    ($type:ident, $name:literal) => {
        impl FromStr for $type {
            type Err = DigestError;

            /// Reads hexadecimal digits of either case.
            fn from_str(text: &str) -> Result<Self, DigestError> {
                parse_hex(text, $name).map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }
    };
}

digest_text!(Sha1, "SHA-1");
digest_text!(Sha256, "SHA-256");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_text_in_either_case() {
        let digest = Sha1::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(digest.to_string().to_uppercase().parse(), Ok(digest));
        let long = Sha256::of(b"abc");
        assert_eq!(long.to_string().parse(), Ok(long));
    }

    #[test]
    fn a_text_of_another_length_or_with_other_letters_is_no_digest() {
        for text in ["", "a9", &"g".repeat(40), &"a".repeat(41), &"é".repeat(20)] {
            let error = text.parse::<Sha1>().unwrap_err();
            assert!(error.to_string().ends_with("40 hexadecimal digits are due"));
        }
    }
}
