//! Allocations of the thread that creates and ends spans.

use super::{Rounds, SPANS_PER_ROUND};
use crate::sdk::allocations::{Allocations, counted};
use crate::sdk::contestants::Contestant;
use crate::sdk::task::Figures;

/// Rounds in which buffers grow that are kept afterwards.
const WARM_UP_ROUNDS: usize = 5;

pub(in crate::sdk) fn allocate<C: Contestant>(contestant: &C, rounds: usize) -> Figures {
    let mut spans = Rounds::new(contestant);
    let mut total = Allocations::default();
    for round in 0..WARM_UP_ROUNDS + rounds {
        let counts = counted(|| spans.create(SPANS_PER_ROUND));
        spans.flush();
        if round >= WARM_UP_ROUNDS {
            total.count += counts.count;
            total.bytes += counts.bytes;
        }
    }
    let created = SPANS_PER_ROUND as f64 * rounds as f64;
    Figures::Allocations {
        count_per_span: total.count as f64 / created,
        bytes_per_span: total.bytes as f64 / created,
    }
}
