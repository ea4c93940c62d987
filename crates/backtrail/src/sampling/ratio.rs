//! Sampling by trace id.

use opentelemetry::trace::TraceId;

/// A share of all traces, chosen by trace id, so that every service that uses the same share chooses the same traces.
///
/// The least-significant 56 bits of the trace id are a number, which W3C trace context level 2 promises to be random (section
/// 3.2.2.3.2); the trace is sampled if it is at least (1 − share) · 2⁵⁶. That is the rule of OpenTelemetry's consistent
/// probability sampling (trace state handling, rejection threshold), and a larger share always samples all that a smaller one does.
/// SDKs that predate it compare other bits, or the other way round: with those, use [`ParentBased`](super::ParentBased), which
/// needs no agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceIdRatio {
    rejected_below: u64,
}

const NUMBERS: u64 = 1 << 56;

impl TraceIdRatio {
    /// A share from 0 (no trace) to 1 (every trace). Less than 0 is 0, more than 1 is 1, and what is no number is 0.
    pub fn new(ratio: f64) -> Self {
        let accepted = (ratio.clamp(0.0, 1.0) * NUMBERS as f64).round() as u64;
        Self {
            rejected_below: NUMBERS - accepted,
        }
    }

    /// The decision for a trace.
    pub fn samples(self, trace_id: TraceId) -> bool {
        let number = u128::from_be_bytes(trace_id.to_bytes()) as u64 % NUMBERS;
        number >= self.rejected_below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_samples_every_trace_and_zero_none() {
        let ids = [1, u128::from(NUMBERS - 1), u128::MAX];
        for id in ids.map(TraceId::from) {
            for ratio in [1.0, 7.0, f64::INFINITY] {
                assert!(TraceIdRatio::new(ratio).samples(id));
            }
            for ratio in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
                assert!(!TraceIdRatio::new(ratio).samples(id));
            }
        }
    }

    #[test]
    fn only_the_lowest_56_bits_count() {
        let half = TraceIdRatio::new(0.5);
        assert!(!half.samples(TraceId::from(u128::MAX - u128::from(NUMBERS - 1))));
        assert!(half.samples(TraceId::from(u128::from(NUMBERS / 2))));
        assert!(!half.samples(TraceId::from(u128::from(NUMBERS / 2 - 1))));
    }

    proptest::proptest! {
        #[test]
        fn a_larger_share_samples_all_that_a_smaller_one_does(id: u128, a in 0.0..1.0, b in 0.0..1.0) {
            let (less, more) = (f64::min(a, b), f64::max(a, b));
            let id = TraceId::from(id);
            proptest::prop_assert!(!TraceIdRatio::new(less).samples(id) || TraceIdRatio::new(more).samples(id));
        }
    }
}
