//! What proves who somebody is, and what we keep of it.
//!
//! A token is 64 hexadecimal digits of which the first eight are always the same, so that a scanner of source code recognises one, and the other 56 are
//! random: 224 bits. That form is the one that every client of Sentry's takes without a remark: `sentry-cli` 1.77 warns of anything that is neither 64 hexadecimal digits nor
//! has one of Sentry's own prefixes, and those would have Sentry's scanners report our tokens to Sentry.
//!
//! Kept is the SHA-256 of a token. A slow hash with salt is for passwords, which people choose and which can be guessed; nobody finds 224 random bits by trying, whatever
//! one try costs, and a request must not take the tenth of a second that such a hash takes.

use std::fmt;
use std::str::FromStr;

use host::Random;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How every token begins: "backtrail", as far as hexadecimal digits can spell it.
const PREFIX: &str = "bac77a11";
const RANDOM_BYTES: usize = 28;
/// What keeps a session's secret apart from a token's hash, which is in the file.
const SESSION_DOMAIN: &[u8] = b"backtrail session 1\0";

/// A token, or the secret of a session, in clear. It is never printed but by [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// More is no secret of ours, and is not looked at.
    pub(crate) const MAX_BYTES: usize = 512;

    /// A new token.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; RANDOM_BYTES];
        random.fill(&mut bytes);
        Self(format!("{PREFIX}{}", hex(&bytes)))
    }

    /// What somebody presented.
    pub(crate) fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// In clear: for who shall have it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The secret of a session that somebody with this token began. It can be made of the token alone, not of anything that is kept, and the token can't be made of it.
    pub(crate) fn session(&self) -> Self {
        let hash = Sha256::new()
            .chain_update(SESSION_DOMAIN)
            .chain_update(self.0.as_bytes())
            .finalize();
        Self(hex(&hash))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        // It stands in a header.
        if text.len() > Self::MAX_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SecretError::Unfit);
        }
        Ok(Self::presented(text))
    }
}

/// Why something is no token. It does not hold what it speaks of, for that may be one with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    /// Nothing.
    #[error("the token is empty")]
    Empty,
    /// It does not fit into a header.
    #[error("the token has characters that no token has, or is too long")]
    Unfit,
}

/// SHA-256 of a [`Secret`].
#[derive(Clone, Copy)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    /// As files have it.
    pub(crate) fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// Of 64 hexadecimal digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl ConstantTimeEq for SecretHash {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use host::OsRandom;

    use super::*;

    #[test]
    fn a_token_is_64_hexadecimal_digits_that_begin_alike() {
        let (one, other) = (Secret::generate(&OsRandom), Secret::generate(&OsRandom));
        assert_ne!(one, other);
        for token in [&one, &other] {
            let text = token.reveal();
            assert_eq!(text.len(), 64);
            assert!(text.starts_with("bac77a11"));
            assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn the_hash_is_the_plain_sha_256() {
        // FIPS 180-2, appendix B.1.
        let hash = Secret::presented("abc").hash();
        assert_eq!(
            hash.to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let again = SecretHash::from_hex(&hash.to_hex()).unwrap();
        assert!(bool::from(again.ct_eq(&hash)));
        assert!(!bool::from(again.ct_eq(&Secret::presented("abd").hash())));
        for wrong in ["", "ba78", &"zz".repeat(32), &"é".repeat(32)] {
            assert!(SecretHash::from_hex(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_session_is_made_of_the_token_and_not_of_what_is_kept() {
        let token = Secret::generate(&OsRandom);
        let session = token.session();
        assert_eq!(session, token.session());
        assert_ne!(session.reveal(), token.hash().to_hex());
        assert_ne!(session.reveal(), token.reveal());
        assert_ne!(session, Secret::presented(&token.hash().to_hex()).session());
    }

    #[test]
    fn nothing_prints_a_secret() {
        let token = Secret::generate(&OsRandom);
        for text in [format!("{token:?}"), format!("{:?}", token.hash())] {
            assert!(!text.contains(&token.reveal()[8..16]), "{text}");
        }
        let wrong = "se cret".parse::<Secret>().unwrap_err();
        assert!(!wrong.to_string().contains("se cret"));
        assert_eq!("  ".parse::<Secret>(), Err(SecretError::Empty));
        assert_eq!(" ab ".parse::<Secret>().unwrap().reveal(), "ab");
    }
}
