use std::collections::VecDeque;
use std::thread;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::trace::SpanData;
use proptest::prelude::*;
use prost::Message as _;

use super::super::queue::Queue;
use super::super::{Batch, Recycle as _};
use super::{number, settings, size, span};
use crate::config::BatchSettings;
use crate::export::encode::{EncodeLimits, EncodedSpans, otlp};

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

const UNCUT: EncodeLimits = EncodeLimits {
    attribute_value_len: None,
};

/// A span that takes about so many bytes encoded.
fn of_about(number: u64, bytes: usize, is_of_other_scope: bool) -> SpanData {
    let mut span = span(number);
    span.attributes = vec![KeyValue::new("text", "x".repeat(bytes))];
    if is_of_other_scope {
        span.instrumentation_scope = InstrumentationScope::builder("others").build();
    }
    span
}

/// The numbers of the spans of a batch, read from the request that is made of it.
fn numbers_of(batch: &Batch) -> Vec<u64> {
    let request = otlp::request(batch.encoded(), &[]);
    let request = ExportTraceServiceRequest::decode(&*request).unwrap();
    let resources = request.resource_spans.into_iter();
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    spans
        .map(|span| u64::from_be_bytes(span.span_id.try_into().unwrap()) - 1)
        .collect()
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
                    queue.offer(span(model.ended), size(bytes));
                    model.end(bytes, max_spans, max_bytes);
                }
                Step::TakeFull | Step::TakeAll => {
                    let all = matches!(step, Step::TakeAll);
                    for batch in queue.batches(queue.take(all)) {
                        prop_assert!(!batch.is_empty() && batch.len() <= max_batch_spans);
                        queue.release(&batch);
                        for span in batch.spans() {
                            prop_assert_eq!(model.waiting.pop_front().map(|(number, _)| number), Some(number(span)));
                        }
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
    fn encoded_spans_keep_the_bounds_and_their_order_too(
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
                    let span = of_about(model.ended, bytes, bytes % 7 == 0);
                    let mut alone = EncodedSpans::default();
                    alone.encode(&span, &UNCUT);
                    queue.offer_encoded(&span, &UNCUT);
                    model.end(alone.len(), max_spans, max_bytes);
                }
                Step::TakeFull | Step::TakeAll => {
                    let all = matches!(step, Step::TakeAll);
                    for batch in queue.batches(queue.take(all)) {
                        prop_assert!(!batch.is_empty() && batch.len() <= max_batch_spans);
                        prop_assert!(batch.is_encoded());
                        queue.release(&batch);
                        let waiting: Vec<u64> = model.waiting.drain(..batch.len()).map(|(number, _)| number).collect();
                        let mut sent = numbers_of(&batch);
                        // Of several scopes in one batch, each has its spans in their order.
                        sent.sort_unstable();
                        prop_assert_eq!(sent, waiting);
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
                queue.offer(span(next), size(if index == 0 { *bytes } else { 0 }));
                next += 1;
            }
            chunks.extend(queue.take(true));
        }
        let batches = queue.batches(chunks);
        let numbers: Vec<u64> = batches.iter().flat_map(Batch::spans).map(number).collect();
        prop_assert_eq!(numbers, (0..next).collect::<Vec<_>>());
        for batch in &batches {
            prop_assert!(batch.len() <= 100);
            prop_assert!(batch.encoded_len_bytes <= 4 * 1024 * 1024);
        }
    }
}

#[test]
fn a_span_that_is_larger_than_the_queue_is_dropped_and_the_next_one_is_not() {
    let queue = Queue::new(&BatchSettings {
        max_queue_bytes: Some(1_000),
        ..settings()
    });
    queue.offer(span(0), size(1_001));
    queue.offer(span(1), size(usize::MAX));
    queue.offer(span(2), size(1_000));
    let stats = queue.stats();
    assert_eq!((stats.ended, stats.dropped, stats.queued), (3, 2, 1));
}

#[test]
fn an_encoded_span_that_is_larger_than_the_queue_is_dropped_and_the_next_one_is_not() {
    let queue = Queue::new(&BatchSettings {
        max_queue_bytes: Some(1_000),
        ..settings()
    });
    for (number, bytes) in [(0, 10), (1, 1_000), (2, 10)] {
        queue.offer_encoded(&of_about(number, bytes, false), &UNCUT);
    }
    let stats = queue.stats();
    assert_eq!((stats.ended, stats.dropped, stats.queued), (3, 1, 2));
    let batches = queue.batches(queue.take(true));
    assert_eq!(numbers_of(&batches[0]), [0, 2]);
}

#[test]
fn threads_that_end_encoded_spans_lose_none() {
    const THREADS: u64 = 4;
    const SPANS: u64 = 2_000;
    let queue = Queue::new(&settings());
    let mut numbers = thread::scope(|scope| {
        let enders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let queue = &queue;
                scope.spawn(move || {
                    for number in thread * SPANS..(thread + 1) * SPANS {
                        queue.offer_encoded(&span(number), &UNCUT);
                    }
                })
            })
            .collect();
        let mut numbers = Vec::new();
        let mut are_done = false;
        while !are_done {
            are_done = enders.iter().all(thread::ScopedJoinHandle::is_finished);
            for batch in queue.batches(queue.take(true)) {
                queue.release(&batch);
                numbers.extend(numbers_of(&batch));
                queue.recycle(batch);
            }
        }
        numbers
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (0..THREADS * SPANS).collect::<Vec<_>>());
    assert_eq!(queue.stats().ended, THREADS * SPANS);
}

#[test]
fn what_waits_when_the_worker_ends_counts_as_dropped() {
    let queue = Queue::new(&settings());
    queue.offer(span(0), size(1));
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
            queue.offer(span(number), size(1));
        }
        let batches = queue.batches(queue.take(false));
        assert_eq!(batches[0].len(), expected, "of {max_batch_spans}");
    }
}
