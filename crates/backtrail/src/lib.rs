//! Tracing for Rust services, on OpenTelemetry: spans around code, HTTP and databases, exporters for OTLP, Jaeger and Zipkin, and a
//! shutdown that loses nothing.
//!
//! ```no_run
//! use backtrail::{TracingSystem, create_span};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let tracing = TracingSystem::new("orders").initialize()?;
//!     let port = create_span("read port", (), async |_span| "8080".parse::<u16>()).await?;
//!     println!("{port}");
//!     Ok(tracing.shutdown()?)
//! }
//! ```
//!
//! Spans go to `http://localhost:4318` unless the [environment](guide::environment) says otherwise.
//!
//! | for | there is |
//! |---|---|
//! | a service's own code | [`create_span`] and [`in_span`], [`span`] for all that they do not say, `#[traced]` |
//! | the current span | [`current_span`], [`current_trace_id`] |
//! | tasks and threads | [`spawn`], [`spawn_blocking`], [`spawn_thread`], [`in_context`], [`with_current`] |
//! | set-up and end | [`TracingSystem`], [`TracingSystemBuilder`], [`Exporter`], [`sampling`], [`propagation`] |
//! | tests | [`testing::Recorder`] |
//! | those who come from elsewhere | [`guide`] |
//!
//! # What always holds
//!
//! - Nothing here panics into, or blocks, the service. Spans that do not fit are dropped and counted: [`TracingSystem::stats`].
//! - What a `Result`, a panic or a dropped future says is recorded; the value and the panic go on as they were.
//! - No header, query value, body, argument or SQL value is recorded unless the service names it.
//! - The crate's own requests are never traced, and its own messages, with the target `backtrail` of the `tracing` crate, never become spans or events.
//!
//! # What it is not for
//!
//! Metrics and logs: use `opentelemetry_sdk` or `tracing-subscriber` beside it. Programs for microcontrollers: it needs threads and a clock.

mod attributes;
#[cfg(feature = "bridge")]
mod bridge;
mod config;
mod current;
mod deadline;
mod export;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "http")]
pub mod http;
mod processor;
pub mod propagation;
mod report;
pub mod sampling;
mod serve;
mod span;
mod system;
pub mod testing;

#[doc(hidden)]
pub use attributes::SPARE_ATTRIBUTES;
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
