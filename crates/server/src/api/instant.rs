//! Instants as people and programs write them: nanoseconds since 1970, or RFC 3339.

const NANO_PER_S: i64 = 1_000_000_000;

/// Nanoseconds since 1970 of an integer or an RFC 3339 date and time. An instant before 1970 is 1970: nothing is earlier.
pub(super) fn parse_unix_nano(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (seconds, nano) = parse_rfc3339(text)?;
    let unix_nano = i128::from(seconds) * i128::from(NANO_PER_S) + i128::from(nano);
    u64::try_from(unix_nano.max(0)).ok()
}

/// Seconds since 1970 and nanoseconds of `2026-01-31T12:00:00.5+01:00`.
fn parse_rfc3339(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second is the second after it.
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nano, rest) = parse_fraction(rest)?;
    let offset = parse_offset(rest)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset, nano))
}

/// Three numbers of so many digits each.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut next = |digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    };
    let [first, second, third] = digits;
    let found = [next(first)?, next(second)?, next(third)?];
    parts.next().is_none().then_some(found)
}

fn parse_fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let len = rest.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = rest.split_at(len);
    if digits.is_empty() {
        return None;
    }
    // Nine digits are nanoseconds; more count for nothing.
    let nine = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nano = nine.fold(0, |nano, digit| nano * 10 + u32::from(digit - b'0'));
    Some((nano, rest))
}

/// Seconds that local time is ahead of UTC.
fn parse_offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes, _] = numbers(&format!("{}:00", &text[1..]), ':', [2, 2, 2])?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days of the Gregorian calendar, counted in years that begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_nanoseconds_or_dates() {
        for (text, nano) in [
            ("1760000000000000000", 1_760_000_000_000_000_000),
            ("0", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-31T12:00:00Z", 1_769_860_800_000_000_000),
            ("2026-01-31T13:00:00+01:00", 1_769_860_800_000_000_000),
            ("2026-01-31t07:30:00-04:30", 1_769_860_800_000_000_000),
            (
                "2024-02-29T23:59:59.123456789999Z",
                1_709_251_199_123_456_789,
            ),
            ("2000-03-01 00:00:00.5z", 951_868_800_500_000_000),
            ("1969-12-31T23:59:59Z", 0),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ] {
            assert_eq!(parse_unix_nano(text), Some(nano), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for text in [
            "",
            "now",
            "-1",
            "1.5",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-1-31T12:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00+1:00",
            "2026-01-31T12:00:00Zx",
            "2026-01-31T12:00:00+é",
            "99999999999999999999999",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_unix_nano(text), None, "{text}");
        }
    }
}
