//! CPU time of the whole process, from the creation of spans until the sink has answered for them.

use super::Rounds;
use crate::sdk::clock::process_cpu_ns;
use crate::sdk::contestants::Contestant;
use crate::sdk::task::{Figures, Spread, Task};

/// Spans are created until a queue is half full (some put messages of their own into it), then
/// flushed, so that none is lost. One part is done before the first is counted.
pub(in crate::sdk) fn send<C: Contestant>(
    contestant: &C,
    task: &Task,
    parts: usize,
    spans_per_part: u64,
) -> Figures {
    let in_flight = C::IN_FLIGHT_MAX.min(task.pipeline.queue_spans as u64 / 2);
    let mut spans = Rounds::new(contestant);
    let mut nanoseconds = Vec::with_capacity(parts);
    for part in 0..=parts {
        let before = process_cpu_ns();
        let mut left = spans_per_part;
        while left > 0 {
            let now = left.min(in_flight);
            spans.create(now);
            spans.flush();
            left -= now;
        }
        if part > 0 {
            nanoseconds.push((process_cpu_ns() - before) as f64 / spans_per_part as f64);
        }
    }
    Figures::Sent {
        nanoseconds: Spread::of(nanoseconds),
        spans: spans.created,
    }
}
