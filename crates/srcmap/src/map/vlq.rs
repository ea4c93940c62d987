//! Base64 VLQ: the numbers of `mappings` (ECMA-426, "base64 VLQ").

/// Why no number could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VlqError {
    /// The text ends, or a separator stands, where a digit has to follow.
    Truncated,
    /// Not a digit of base64.
    NotBase64(u8),
    /// More than 32 bits.
    Overflow,
}

const CONTINUES: u8 = 0x20;
const SEPARATOR: u8 = 0xfe;
const NO_DIGIT: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [NO_DIGIT; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table[b',' as usize] = SEPARATOR;
    table[b';' as usize] = SEPARATOR;
    table
};

/// The number that begins at `*at`, which is then behind it. After an error `*at` is where the error is.
#[inline]
pub(super) fn decode(bytes: &[u8], at: &mut usize) -> Result<i32, VlqError> {
    let first = digit(bytes, *at)?;
    *at += 1;
    if first & CONTINUES == 0 {
        return Ok(signed(u32::from(first)));
    }
    rest(bytes, at, first & !CONTINUES)
}

fn rest(bytes: &[u8], at: &mut usize, first: u8) -> Result<i32, VlqError> {
    let mut value = u64::from(first);
    let mut shift = 5;
    loop {
        let digit = digit(bytes, *at)?;
        let bits = u64::from(digit & !CONTINUES);
        // Digits of zero may follow without end: the value counts, not the length.
        if shift < 35 {
            value |= bits << shift;
        } else if bits != 0 {
            return Err(VlqError::Overflow);
        }
        let Ok(unsigned) = u32::try_from(value) else {
            return Err(VlqError::Overflow);
        };
        *at += 1;
        if digit & CONTINUES == 0 {
            return Ok(signed(unsigned));
        }
        shift = (shift + 5).min(35);
    }
}

#[inline]
fn digit(bytes: &[u8], at: usize) -> Result<u8, VlqError> {
    let Some(&byte) = bytes.get(at) else {
        return Err(VlqError::Truncated);
    };
    match DIGITS[byte as usize] {
        SEPARATOR => Err(VlqError::Truncated),
        NO_DIGIT => Err(VlqError::NotBase64(byte)),
        digit => Ok(digit),
    }
}

#[inline]
fn signed(unsigned: u32) -> i32 {
    let magnitude = (unsigned >> 1) as i32;
    match (unsigned & 1, magnitude) {
        (0, _) => magnitude,
        // "Minus zero" is the one number that has no other form.
        (_, 0) => i32::MIN,
        (_, _) => -magnitude,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<i32, VlqError> {
        let mut at = 0;
        let value = decode(text.as_bytes(), &mut at);
        assert!(
            value.is_err() || at == text.len(),
            "{text} was read to {at}"
        );
        value
    }

    #[test]
    fn digits_come_least_significant_first_and_the_lowest_bit_is_the_sign() {
        for (text, value) in [
            ("A", 0),
            ("C", 1),
            ("D", -1),
            ("V", -10),
            ("e", 15),
            ("f", -15),
            ("gB", 16),
            ("hB", -16),
            ("iB", 17),
            ("6B", 29),
            ("+/////D", i32::MAX),
            ("//////D", -i32::MAX),
        ] {
            assert_eq!(one(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn minus_zero_is_the_smallest_number() {
        assert_eq!(one("B"), Ok(i32::MIN));
        assert_eq!(one("hggA"), Ok(i32::MIN));
    }

    #[test]
    fn trailing_digits_of_zero_do_not_make_a_number_too_large() {
        assert_eq!(one(&format!("i{}B", "g".repeat(0))), Ok(17));
        assert_eq!(one(&format!("ih{}A", "g".repeat(100))), Ok(17));
    }

    #[test]
    fn more_than_32_bits_are_an_overflow() {
        for text in [
            "ggggggE",
            "ggggggB",
            "+/////H",
            "gggggggB",
            "ggggggggggggggC",
        ] {
            let expected = if text == "ggggggB" {
                Ok(1 << 29)
            } else {
                Err(VlqError::Overflow)
            };
            assert_eq!(one(text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_that_stops_in_the_middle_or_holds_another_character_is_named() {
        assert_eq!(one(""), Err(VlqError::Truncated));
        assert_eq!(one("g"), Err(VlqError::Truncated));
        assert_eq!(one("g,A"), Err(VlqError::Truncated));
        assert_eq!(one("g;A"), Err(VlqError::Truncated));
        assert_eq!(one("-"), Err(VlqError::NotBase64(b'-')));
        assert_eq!(one("g="), Err(VlqError::NotBase64(b'=')));
        assert_eq!(one("\u{e9}"), Err(VlqError::NotBase64(0xc3)));
    }
}
