//! Durations as people write them: `250ms`, `1.5s`, `1h30m`.

/// The units, the longer names first where one begins another.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
const DAY: (&str, u64) = ("d", 24 * 3_600_000_000_000);

/// Nanoseconds of a duration as Go writes it: decimal numbers with units, one after another. Also in days.
pub(super) fn parse_nano(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum: u64 = 0;
    while !rest.is_empty() || sum_is_missing(text, rest) {
        let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_len);
        let unit_len = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let (_, unit_nano) = UNITS.iter().chain([&DAY]).find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(scale(number, *unit_nano)?)?;
        rest = after;
    }
    Some(sum)
}

/// An empty text is no duration.
fn sum_is_missing(text: &str, rest: &str) -> bool {
    text.is_empty() && rest.is_empty()
}

/// A decimal number times a unit, without the error of a floating-point number.
fn scale(number: &str, unit_nano: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nano = whole.checked_mul(unit_nano)?;
    let mut place = unit_nano;
    for digit in fraction.bytes() {
        // Digits below a nanosecond count for nothing.
        nano = nano.checked_add(u64::from(digit - b'0') * place / 10)?;
        place /= 10;
    }
    Some(nano)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, nano) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("2m", 120_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("10us", 10_000),
            ("10µs", 10_000),
            ("10μs", 10_000),
            ("100ns", 100),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1h0m0.123456789s", 3_600_123_456_789),
            ("2d", 172_800_000_000_000),
            ("0.0000000019s", 1),
        ] {
            assert_eq!(parse_nano(text), Some(nano), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in [
            "",
            "1",
            "s",
            "1x",
            "-1s",
            "1.2.3s",
            ".s",
            "1s2",
            " 1s",
            "1 s",
            "1mss",
            "1e3s",
            "99999999999999h",
        ] {
            assert_eq!(parse_nano(text), None, "{text}");
        }
    }
}
