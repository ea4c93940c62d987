//! Hexadecimal numbers in headers.

/// 1 to 32 digits, `a` to `f` in lower case only.
pub(super) fn lowercase(digits: &[u8]) -> Option<u128> {
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    any_case(digits)
}

/// 1 to 32 digits in either case.
pub(super) fn any_case(digits: &[u8]) -> Option<u128> {
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | u128::from(digit))
    })
}

/// Appends the lowest `digits` digits of a number, in lower case.
pub(super) fn push(out: &mut String, value: u128, digits: u32) {
    for position in (0..digits).rev() {
        let digit = (value >> (4 * position) & 0xf) as u32;
        out.extend(char::from_digit(digit, 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut out = String::new();
        push(&mut out, 0x0af7_6519, 8);
        assert_eq!(out, "0af76519");
        assert_eq!(lowercase(out.as_bytes()), Some(0x0af7_6519));
    }

    #[test]
    fn signs_spaces_and_nothing_are_no_numbers() {
        for digits in ["", "+1", "-1", " 1", "1 ", "0x1", "g", "é"] {
            assert_eq!(any_case(digits.as_bytes()), None, "{digits:?}");
        }
        assert_eq!(any_case(&[b'0'; 33]), None);
    }

    #[test]
    fn upper_case_is_a_question_of_the_format() {
        assert_eq!(lowercase(b"A"), None);
        assert_eq!(any_case(b"A"), Some(10));
    }
}
