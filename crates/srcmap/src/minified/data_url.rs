//! Maps that stand in the comment itself, as a `data:` URL.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Why a `data:` URL was not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataUrlError {
    /// Not of the form `data:…,…`.
    #[error("this is no data: URL")]
    NotADataUrl,
    /// More bytes than allowed.
    #[error("the data: URL holds more than {limit} bytes")]
    TooLarge {
        /// How many are allowed.
        limit: usize,
    },
    /// It says base64 and is not.
    #[error("the data: URL is not base64: {0}")]
    NotBase64(String),
}

/// Padding may be missing, as in the WHATWG's "forgiving-base64 decode".
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn is_data_url(url: &[u8]) -> bool {
    url.get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"))
}

/// Decodes a `data:` URL: percent-encoding, and base64 if it says so. Gives at most `max_bytes`.
pub fn decode_data_url(url: &[u8], max_bytes: usize) -> Result<Vec<u8>, DataUrlError> {
    let too_large = DataUrlError::TooLarge { limit: max_bytes };
    let rest = url
        .get(5..)
        .filter(|_| is_data_url(url))
        .ok_or(DataUrlError::NotADataUrl)?;
    let comma = memchr::memchr(b',', rest).ok_or(DataUrlError::NotADataUrl)?;
    let (kind, body) = (&rest[..comma], &rest[comma + 1..]);
    // Escaped, a byte of base64 takes three, and four of those make three.
    if body.len() / 4 > max_bytes {
        return Err(too_large);
    }
    let last = kind.rsplit(|&byte| byte == b';').next().unwrap_or_default();
    let is_base64 = kind.contains(&b';') && last.trim_ascii().eq_ignore_ascii_case(b"base64");
    let mut bytes = percent_decoded(body);
    if is_base64 {
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        bytes = FORGIVING
            .decode(&bytes)
            .map_err(|error| DataUrlError::NotBase64(error.to_string()))?;
    }
    if bytes.len() > max_bytes {
        return Err(too_large);
    }
    Ok(bytes)
}

/// A percent sign without two digits stands for itself.
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        let Some((_, behind)) = rest.split_first() else {
            return out;
        };
        let digit = |at: usize| (*behind.get(at)? as char).to_digit(16);
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                rest = &behind[2..];
            }
            _ => {
                out.push(b'%');
                rest = behind;
            }
        }
    }
}
