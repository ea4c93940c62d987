//! The queue against a model, and the worker with exporters that do as they are told.

mod deadlines;
mod queue;
mod stage;
mod worker;

use std::time::{Duration, SystemTime};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::config::BatchSettings;
use crate::export::encode::size::Size;

/// What a test waits for an event at most: far more than any machine needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// A span that is known by its number.
fn span(number: u64) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from(1),
            SpanId::from(number + 1),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "work".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("tests").build(),
    }
}

/// As many bytes in memory as encoded.
fn size(bytes: usize) -> Size {
    Size {
        memory: bytes,
        encoded: bytes,
    }
}

fn number(span: &SpanData) -> u64 {
    let bytes = span.span_context.span_id().to_bytes();
    u64::from_be_bytes(bytes) - 1
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
