//! Tracing for Rust services: spans, HTTP, exporters, and a shutdown that loses nothing.

mod attributes;
#[cfg(feature = "bridge")]
mod bridge;
mod config;
mod current;
mod deadline;
mod export;
mod processor;
pub mod propagation;
mod report;
pub mod sampling;
mod serve;
mod span;
mod system;
pub mod testing;

pub use attributes::{IntoAttributes, IntoValue};
pub use config::{Environment, Instrumentation};
pub use current::{
    current_span, current_trace_id, in_context, spawn, spawn_blocking, spawn_thread, with_current,
};
pub use export::{Exporter, ExporterError};
pub use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceId};
pub use opentelemetry::{self, Context, Key, KeyValue, Value};
pub use opentelemetry_sdk;
pub use processor::{FlushError, Stats};
pub use serve::{ServeOptions, ServerOutcome, ShutdownReport, Stop};
pub use span::{
    Exception, ExceptionDetails, Outcome, Span, SpanBuilder, TracedFuture, create_span,
    create_span_sync, in_span, in_span_sync, span,
};
pub use system::{InitializeError, TracingSystem, TracingSystemBuilder};
