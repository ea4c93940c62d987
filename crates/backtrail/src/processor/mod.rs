//! The batch processor: what happens to a span between its end and the exporter.
//!
//! A span that ends goes into a queue that is bounded by spans and by bytes; the thread that ended it never waits. A thread of our own takes
//! batches from the queue and has several of them exported at once. Source: specification, "Batch Span Processor", with what it leaves open
//! or others leave out: bytes, concurrent exports, the export timeout, and counters that can be read.

mod batch;
mod command;
mod exports;
mod queue;
mod span_processor;
mod stats;
#[cfg(test)]
mod tests;
mod waiting;
mod worker;

pub(crate) use batch::Batch;
pub use command::FlushError;
pub(crate) use queue::Recycle;
pub(crate) use span_processor::{BatchProcessor, Pipeline};
pub use stats::Stats;
