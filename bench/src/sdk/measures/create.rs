//! CPU time of the thread that creates and ends spans.

use super::{Rounds, SPANS_PER_ROUND};
use crate::sdk::clock::thread_cpu_ns;
use crate::sdk::contestants::Contestant;
use crate::sdk::task::{Figures, Spread};

/// The first rounds fault memory in and fill caches.
const WARM_UP_ROUNDS: usize = 5;

pub(in crate::sdk) fn create<C: Contestant>(contestant: &C, rounds: usize) -> Figures {
    let mut spans = Rounds::new(contestant);
    let mut nanoseconds = Vec::with_capacity(rounds);
    for round in 0..WARM_UP_ROUNDS + rounds {
        let before = thread_cpu_ns();
        spans.create(SPANS_PER_ROUND);
        let used = thread_cpu_ns() - before;
        spans.flush();
        if round >= WARM_UP_ROUNDS {
            nanoseconds.push(used as f64 / SPANS_PER_ROUND as f64);
        }
    }
    Figures::Nanoseconds(Spread::of(nanoseconds))
}
