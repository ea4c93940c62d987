//! Times as protocols count them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970: 0 before, and the greatest number after the year 2554.
#[inline]
pub(crate) fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| {
        since
            .as_secs()
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(since.subsec_nanos()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_that_have_no_number_take_the_nearest() {
        let before = UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(unix_nanos(before), 0);
        let far = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(unix_nanos(far), u64::MAX);
        let last = UNIX_EPOCH + Duration::from_nanos(u64::MAX);
        assert_eq!(unix_nanos(last), u64::MAX);
    }
}
