//! Numbers that look random and are the same in every run: the shop's days resemble each other.

use std::ops::Range;

/// SplitMix64: small, fast, and good enough for a shop.
pub(super) struct Random {
    state: u64,
}

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(super) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In `[0, 1)`.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// Evenly in the range, which must not be empty.
    pub(super) fn between(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next_u64() % (range.end - range.start)
    }

    /// One of the choices, of which there must be some.
    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.between(0..choices.len() as u64) as usize]
    }

    /// Microseconds that are typically `typical_ms`, seldom less than half or more than twice of
    /// it, and at times five times as long, as latencies are.
    pub(super) fn latency_us(&mut self, typical_ms: f64) -> u64 {
        // Six uniform numbers are normal enough.
        let bell = (0..6).map(|_| self.fraction()).sum::<f64>() - 3.0;
        let tail = if self.chance(0.01) { 5.0 } else { 1.0 };
        (typical_ms * 1000.0 * (bell * 0.4).exp() * tail).max(1.0) as u64
    }

    /// Microseconds until the next of events that come at `per_second` on average, independently.
    pub(super) fn pause_us(&mut self, per_second: f64) -> u64 {
        (-(1.0 - self.fraction()).ln() / per_second * 1e6) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        // The reference implementation's first outputs for seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn latencies_are_near_their_typical_value() {
        let mut random = Random::new(1);
        let mut latencies: Vec<u64> = (0..1001).map(|_| random.latency_us(10.0)).collect();
        latencies.sort_unstable();
        assert!(
            (9_000..11_000).contains(&latencies[500]),
            "{}",
            latencies[500]
        );
        assert!(latencies[1000] > 30_000, "no tail: {}", latencies[1000]);
        assert!(latencies[0] > 2_500, "{}", latencies[0]);
    }

    #[test]
    fn events_come_at_their_rate() {
        let mut random = Random::new(2);
        let total_us: u64 = (0..10_000).map(|_| random.pause_us(2.0)).sum();
        assert!(
            (4_800_000_000..5_200_000_000).contains(&total_us),
            "{total_us}"
        );
    }
}
