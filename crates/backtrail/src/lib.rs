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
//! - No header, body, argument or SQL value is recorded unless the service names it; of URLs, credentials and values of secret keys are left out.
//! - The crate's own requests are never traced, and its own messages, with the target `backtrail` of the `tracing` crate, never become spans or events.
//!
//! # What it is not for
//!
//! Metrics and logs: use `opentelemetry_sdk` or `tracing-subscriber` beside it. Programs for microcontrollers: it needs threads and a clock.

#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private;
mod attributes;
#[cfg(feature = "bridge")]
mod bridge;
mod config;
mod current;
mod deadline;
mod export;
pub mod fs;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "http")]
pub mod http;
pub mod messaging;
mod processor;
pub mod propagation;
mod redact;
#[cfg(feature = "redis")]
pub mod redis;
mod report;
pub mod sampling;
mod serve;
mod span;
pub mod sql;
mod system;
pub mod testing;
mod tracer;

#[doc(hidden)]
pub use attributes::ValueRef;
pub use attributes::{IntoAttributes, IntoValue};
/// Runs a function in a span of its own: [`create_span`] for functions that return a `Result`, [`in_span`] for all others.
///
/// ```
/// use backtrail::testing::Recorder;
/// use backtrail::traced;
///
/// #[traced(name = "load order", attributes(order.id = id))]
/// async fn load(id: u64) -> Result<String, std::num::ParseIntError> {
///     let number: u64 = "eight".parse()?;
///     Ok(format!("{id}-{number}"))
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let traces = Recorder::new();
/// traces.run(async { load(7).await.unwrap_err() }).await;
/// assert_eq!(
///     traces.tree_of(&["order.id", "error.type"]),
///     "load order error `invalid digit found in string` order.id=7 error.type=core::num::error::ParseIntError\n  · exception\n"
/// );
/// # });
/// ```
///
/// | option | meaning |
/// |---|---|
/// | `name = "load order"` | the span's name; the function's name, if nothing is said |
/// | `kind = client` | or `server`, `producer`, `consumer`; `internal`, if nothing is said |
/// | `attributes(order.id = id, "other key" = expression)` | attributes, which samplers see. Keys may be quoted; an expression is evaluated when the function is called and sees its arguments, so borrow what is not `Copy`: `customer = &name` |
/// | `ok_status = false` | whether `Ok` sets the status Ok: [`SpanBuilder::ok_status`] |
/// | `root` | the span starts a trace of its own |
///
/// Arguments are not recorded, unless `attributes` names them.
///
/// It goes on functions and methods, asynchronous ones and others, with generics and `impl Trait`. The span of an asynchronous function starts when its
/// future is first polled. A function that is not `async` and ends in `async move { … }` or `Box::pin(async move { … })` is traced as
/// an asynchronous one; so the attribute works below `#[async_trait]`. It is refused on `const` functions and on methods without a body.
///
/// What a function returns is looked at by its type, whatever the alias: an [`Exception`] is recorded with its chain; any other error
/// that can be displayed with its text; any other error with the name of its type.
#[cfg(feature = "macros")]
pub use backtrail_macros::traced;
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
