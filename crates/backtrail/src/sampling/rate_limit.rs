//! Sampling by number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const SECOND_NANOS: u64 = 1_000_000_000;
/// Longer than any process lives, and short enough to add two of them.
const MAX_INTERVAL_NANOS: u64 = u64::MAX / 2;

/// So many spans a second, whatever is offered; all clones count together.
///
/// A token bucket that holds the spans of one second, so that a burst after a quiet second is taken whole. At less than one span
/// a second, each span has to wait for its turn since the last one. It counts every span that it is asked for: put it
/// into a [`ParentBased`](super::ParentBased) to count traces, and to keep them whole. It takes no lock.
#[derive(Clone, Debug)]
pub struct RateLimit {
    /// `None`: no span at all.
    interval_nanos: Option<u64>,
    /// When the bucket will be full again, in nanoseconds of the clock.
    full_at_nanos: Arc<AtomicU64>,
    clock: Clock,
}

impl RateLimit {
    /// What `ratelimited` means without an argument.
    pub const DEFAULT_SPANS_PER_SECOND: f64 = 100.0;

    /// Zero, less, and what is no number sample nothing. More than 10⁹ is no limit.
    pub fn new(spans_per_second: f64) -> Self {
        Self::with_clock(spans_per_second, Clock::Monotonic(Instant::now()))
    }

    fn with_clock(spans_per_second: f64, clock: Clock) -> Self {
        let interval_nanos = (SECOND_NANOS as f64 / spans_per_second) as u64;
        Self {
            interval_nanos: (spans_per_second > 0.0)
                .then_some(interval_nanos.min(MAX_INTERVAL_NANOS)),
            full_at_nanos: Arc::default(),
            clock,
        }
    }

    /// Whether the next span is within the limit; it is counted if it is.
    pub fn admits(&self) -> bool {
        let Some(interval_nanos) = self.interval_nanos else {
            return false;
        };
        let now = self.clock.nanos();
        let latest = now.saturating_add(interval_nanos.max(SECOND_NANOS));
        let admit = |full_at: u64| {
            let next = full_at.max(now).saturating_add(interval_nanos);
            (next <= latest).then_some(next)
        };
        // The order against other memory does not matter: nothing but this number is shared.
        self.full_at_nanos
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, admit)
            .is_ok()
    }
}

#[derive(Clone, Debug)]
enum Clock {
    Monotonic(Instant),
    #[cfg(test)]
    Fake(Arc<AtomicU64>),
}

impl Clock {
    fn nanos(&self) -> u64 {
        match self {
            Self::Monotonic(start) => start.elapsed().as_nanos() as u64,
            #[cfg(test)]
            Self::Fake(nanos) => nanos.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn limit(spans_per_second: f64) -> (RateLimit, Arc<AtomicU64>) {
        let nanos = Arc::new(AtomicU64::new(0));
        let clock = Clock::Fake(Arc::clone(&nanos));
        (RateLimit::with_clock(spans_per_second, clock), nanos)
    }

    fn admitted(limit: &RateLimit, offered: usize) -> usize {
        (0..offered).filter(|_| limit.admits()).count()
    }

    fn advance(nanos: &AtomicU64, by_nanos: u64) {
        nanos.fetch_add(by_nanos, Ordering::Relaxed);
    }

    #[test]
    fn a_burst_of_one_second_is_admitted_and_no_more() {
        for spans_per_second in [1, 2, 3, 7, 100, 999, 30_000] {
            let (limit, _) = limit(f64::from(spans_per_second));
            let offered = 2 * spans_per_second as usize;
            assert_eq!(admitted(&limit, offered), spans_per_second as usize);
        }
    }

    #[test]
    fn a_quiet_hour_is_worth_one_second() {
        let (limit, nanos) = limit(10.0);
        advance(&nanos, 3600 * SECOND_NANOS);
        assert_eq!(admitted(&limit, 1000), 10);
    }

    #[test]
    fn the_rate_holds_over_a_minute() {
        let (limit, nanos) = limit(50.0);
        assert_eq!(admitted(&limit, 1000), 50);
        let mut total = 0;
        for _ in 0..60_000 {
            advance(&nanos, SECOND_NANOS / 1000);
            total += admitted(&limit, 3);
        }
        assert_eq!(total, 60 * 50);
    }

    #[test]
    fn less_than_one_a_second_waits_for_its_turn() {
        let (limit, nanos) = limit(0.1);
        assert_eq!(admitted(&limit, 5), 1);
        advance(&nanos, 10 * SECOND_NANOS - 1);
        assert_eq!(admitted(&limit, 5), 0);
        advance(&nanos, 1);
        assert_eq!(admitted(&limit, 5), 1);
    }

    #[test]
    fn no_rate_is_no_span() {
        for spans_per_second in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(admitted(&limit(spans_per_second).0, 5), 0);
        }
        assert_eq!(admitted(&limit(f64::INFINITY).0, 5_000), 5_000);
        assert_eq!(admitted(&limit(f64::MIN_POSITIVE).0, 5), 1);
    }

    #[test]
    fn clones_on_many_threads_count_together() {
        let (limit, _) = limit(1000.0);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let limit = limit.clone();
                thread::spawn(move || admitted(&limit, 1000))
            })
            .collect();
        let total: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
        assert_eq!(total, 1000);
    }
}
