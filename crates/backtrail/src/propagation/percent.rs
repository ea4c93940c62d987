//! Percent-encoding (RFC 3986, section 2.1).

use std::borrow::Cow;

/// `None` if a `%` is not followed by two hexadecimal digits. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn decode(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
        return Some(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            decoded.push(digit(bytes.next())? << 4 | digit(bytes.next())?);
        } else {
            decoded.push(byte);
        }
    }
    Some(Cow::Owned(String::from_utf8_lossy(&decoded).into_owned()))
}

fn digit(byte: Option<u8>) -> Option<u8> {
    char::from(byte?)
        .to_digit(16)
        .and_then(|digit| digit.try_into().ok())
}

/// Appends a value; bytes that are not kept are escaped. Only ASCII may be kept.
pub(super) fn encode(out: &mut String, value: &str, keep: impl Fn(u8) -> bool) {
    for byte in value.bytes() {
        if byte.is_ascii() && keep(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                out.extend(
                    char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_escape_is_refused() {
        for value in ["%", "%4", "a%4", "%zz", "%+1", "100%"] {
            assert_eq!(decode(value), None, "{value:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_replaced() {
        assert_eq!(decode("a%FFb").as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn text_of_any_script_comes_back() {
        let mut encoded = String::new();
        encode(&mut encoded, "Grüße, 😊%", |byte| {
            byte.is_ascii_alphanumeric()
        });
        assert_eq!(encoded, "Gr%C3%BC%C3%9Fe%2C%20%F0%9F%98%8A%25");
        assert_eq!(decode(&encoded).as_deref(), Some("Grüße, 😊%"));
    }
}
