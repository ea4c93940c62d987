//! When to try again. Source: OTLP specification, "Failures" and "OTLP/HTTP Throttling".

use std::time::{Duration, SystemTime};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Exponential, with jitter: services that were cut off together do not come back together.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) const fn new() -> Self {
        Self(FIRST_DELAY)
    }

    /// How long to wait now: between half of the delay and all of it.
    pub(super) fn next(&mut self) -> Duration {
        let delay = self.0;
        self.0 = (delay * 2).min(MAX_DELAY);
        // What the clock says below a second is as good as chance between machines.
        let chance = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos() % 1024);
        delay / 2 + (delay / 2) * chance / 1024
    }
}

/// `Retry-After`: seconds or a date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_a_bound() {
        let mut backoff = Backoff::new();
        let mut expected = FIRST_DELAY;
        for _ in 0..12 {
            let delay = backoff.next();
            assert!(delay >= expected / 2 && delay <= expected, "{delay:?}");
            expected = (expected * 2).min(MAX_DELAY);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        let past = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(past), Some(Duration::ZERO));
        let coming = httpdate::fmt_http_date(SystemTime::now() + Duration::from_hours(1));
        assert!(retry_after(&coming).unwrap() > Duration::from_mins(58));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-1"), None);
    }
}
