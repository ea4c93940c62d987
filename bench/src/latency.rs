//! A list of durations and what it says.

use std::time::Duration;

/// Durations of the same thing, done many times.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    sorted: Vec<Duration>,
}

impl Latencies {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self { sorted: durations }
    }

    /// The smallest duration that `percent` of all do not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.sorted.len() * percent).div_ceil(100).max(1);
        self.sorted
            .get(rank - 1)
            .map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_durations() {
        let latencies = Latencies::new((1..=200).rev().map(Duration::from_millis).collect());
        let close = |percent, ms: f64| (latencies.percentile_ms(percent) - ms).abs() < 1e-9;
        assert!(close(50, 100.0));
        assert!(close(99, 198.0));
        assert!(close(100, 200.0));
        assert!(Latencies::default().percentile_ms(50).is_nan());
    }
}
