//! The queue against a model, and the worker with exporters that do as they are told.

mod deadlines;
mod queue;
mod stage;
mod worker;

use std::time::Duration;

use backtrail_wire::protobuf::{Fields, put_bytes};
use opentelemetry::InstrumentationScope;

use super::Batch;
use super::queue::Queue;
use crate::config::BatchSettings;
use crate::export::encode::EncodedSpans;

/// What a test waits for an event at most: far more than any machine needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// Offers a span that is known by its number, with so many bytes beside it.
fn offer(queue: &Queue, number: u64, padding: usize) {
    offer_of("tests", queue, number, padding);
}

/// The same of a scope; tells how many bytes the span takes.
fn offer_of(scope: &'static str, queue: &Queue, number: u64, padding: usize) -> usize {
    let mut bytes = Vec::new();
    let message = [&number.to_be_bytes()[..], &vec![0; padding]].concat();
    put_bytes(&mut bytes, 2, &message);
    let scope = InstrumentationScope::builder(scope).build();
    queue.offer(&scope, bytes.len(), |out| out.extend_from_slice(&bytes));
    bytes.len()
}

/// The numbers of the spans of a batch.
fn numbers(batch: &Batch) -> Vec<u64> {
    let runs = batch.chunks().flat_map(EncodedSpans::runs);
    let fields = runs.flat_map(|(_, run)| Fields::new(run));
    fields
        .map(|field| {
            let number = field.unwrap().bytes().unwrap().first_chunk();
            u64::from_be_bytes(*number.unwrap())
        })
        .collect()
}

/// Nothing happens by the clock in a test, but for what it asks for.
fn settings() -> BatchSettings {
    BatchSettings {
        max_queue_spans: 1_000_000,
        max_queue_bytes: Some(usize::MAX),
        schedule_delay: Duration::MAX,
        export_timeout: PATIENCE,
        ..BatchSettings::default()
    }
}
