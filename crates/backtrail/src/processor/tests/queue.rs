use std::collections::VecDeque;
use std::thread;

use proptest::prelude::*;

use super::super::Recycle as _;
use super::super::queue::Queue;
use super::{numbers, offer, offer_of, settings};
use crate::config::BatchSettings;

#[derive(Debug, Clone)]
enum Step {
    End { bytes: usize },
    TakeFull,
    TakeAll,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        200 => (1..2_000usize).prop_map(|bytes| Step::End { bytes }),
        8 => Just(Step::TakeFull),
        4 => Just(Step::TakeAll),
        1 => Just(Step::Close),
    ];
    prop::collection::vec(step, 0..1_500)
}

/// One thread's spans: those that wait, by number and bytes.
#[derive(Default)]
struct Model {
    waiting: VecDeque<(u64, usize)>,
    ended: u64,
    dropped: u64,
    is_closed: bool,
}

impl Model {
    fn bytes(&self) -> usize {
        self.waiting.iter().map(|(_, bytes)| bytes).sum()
    }

    fn end(&mut self, bytes: usize, max_spans: usize, max_bytes: usize) {
        let fits = self.waiting.len() < max_spans && self.bytes() + bytes <= max_bytes;
        if fits && !self.is_closed {
            self.waiting.push_back((self.ended, bytes));
        } else {
            self.dropped += 1;
        }
        self.ended += 1;
    }
}

proptest! {
    #[test]
    fn the_queue_keeps_its_bounds_and_its_order(
        steps in steps(),
        max_spans in 1..600usize,
        max_bytes in 1_000..400_000usize,
        max_batch in 1..300usize,
    ) {
        let max_batch_spans = max_batch.min(max_spans);
        let queue = Queue::new(&BatchSettings {
            max_queue_spans: max_spans,
            max_queue_bytes: Some(max_bytes),
            max_batch_spans,
            ..settings()
        });
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::End { bytes } => {
                    // Scopes change now and then, so that a chunk has several.
                    let scope = if bytes % 7 == 0 { "others" } else { "tests" };
                    let len_bytes = offer_of(scope, &queue, model.ended, bytes);
                    model.end(len_bytes, max_spans, max_bytes);
                }
                Step::TakeFull | Step::TakeAll => {
                    let all = matches!(step, Step::TakeAll);
                    for batch in queue.batches(queue.take(all)) {
                        prop_assert!(!batch.is_empty() && batch.len() <= max_batch_spans);
                        queue.release(&batch);
                        let waiting: Vec<u64> = model.waiting.drain(..batch.len()).map(|(number, _)| number).collect();
                        prop_assert_eq!(numbers(&batch), waiting);
                        queue.recycle(batch);
                    }
                    prop_assert!(!all || model.waiting.is_empty());
                }
                Step::Close => {
                    queue.close();
                    model.is_closed = true;
                }
            }
            let stats = queue.stats();
            prop_assert_eq!(stats.queued, model.waiting.len() as u64);
            prop_assert_eq!((stats.ended, stats.dropped), (model.ended, model.dropped));
            let is_batch = model.waiting.len() >= max_batch_spans || model.bytes() >= max_bytes / 2;
            prop_assert_eq!(queue.has_batch(), is_batch);
        }
    }

    #[test]
    fn batches_hold_every_span_once_within_their_bounds(
        sizes in prop::collection::vec((1..100usize, 1..300_000usize), 0..60),
    ) {
        let queue = Queue::new(&BatchSettings { max_batch_spans: 100, ..settings() });
        let mut chunks = Vec::new();
        let mut next = 0;
        for (spans, bytes) in &sizes {
            for index in 0..*spans {
                offer(&queue, next, if index == 0 { *bytes } else { 0 });
                next += 1;
            }
            chunks.extend(queue.take(true));
        }
        let batches = queue.batches(chunks);
        let all: Vec<u64> = batches.iter().flat_map(numbers).collect();
        prop_assert_eq!(all, (0..next).collect::<Vec<_>>());
        for batch in &batches {
            prop_assert!(batch.len() <= 100);
            prop_assert!(batch.len_bytes <= 4 * 1024 * 1024);
        }
    }
}

#[test]
fn a_span_that_is_larger_than_the_queue_is_dropped_and_the_next_one_is_not() {
    let queue = Queue::new(&BatchSettings {
        max_queue_bytes: Some(1_000),
        ..settings()
    });
    for (number, padding) in [(0, 10), (1, 1_000), (2, 10)] {
        offer(&queue, number, padding);
    }
    let stats = queue.stats();
    assert_eq!((stats.ended, stats.dropped, stats.queued), (3, 1, 2));
    let batches = queue.batches(queue.take(true));
    assert_eq!(numbers(&batches[0]), [0, 2]);
}

#[test]
fn threads_that_end_spans_lose_none() {
    const THREADS: u64 = 4;
    const SPANS: u64 = 2_000;
    let queue = Queue::new(&settings());
    let mut all = thread::scope(|scope| {
        let enders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let queue = &queue;
                scope.spawn(move || {
                    for number in thread * SPANS..(thread + 1) * SPANS {
                        offer(queue, number, 0);
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        let mut are_done = false;
        while !are_done {
            are_done = enders.iter().all(thread::ScopedJoinHandle::is_finished);
            for batch in queue.batches(queue.take(true)) {
                queue.release(&batch);
                all.extend(numbers(&batch));
                queue.recycle(batch);
            }
        }
        all
    });
    all.sort_unstable();
    assert_eq!(all, (0..THREADS * SPANS).collect::<Vec<_>>());
    assert_eq!(queue.stats().ended, THREADS * SPANS);
}

#[test]
fn what_waits_when_the_worker_ends_counts_as_dropped() {
    let queue = Queue::new(&settings());
    offer(&queue, 0, 0);
    queue.end();
    let stats = queue.stats();
    assert_eq!((stats.queued, stats.dropped, stats.ended), (0, 1, 1));
}

#[test]
fn batches_are_filled_though_a_chunk_does_not_divide_them() {
    for (max_batch_spans, expected) in [(512, 512), (200, 200), (300, 300), (129, 128), (1, 1)] {
        let queue = Queue::new(&BatchSettings {
            max_batch_spans,
            ..settings()
        });
        for number in 0..2_000 {
            offer(&queue, number, 0);
        }
        let batches = queue.batches(queue.take(false));
        assert_eq!(batches[0].len(), expected, "of {max_batch_spans}");
    }
}
