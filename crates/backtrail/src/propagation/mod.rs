//! How a trace goes from one process to the next: headers in, headers out.
//!
//! | name in `OTEL_PROPAGATORS` | type | headers |
//! |---|---|---|
//! | `tracecontext` | [`TraceContext`] | `traceparent`, `tracestate` |
//! | `baggage` | [`Baggage`] | `baggage` |
//! | `b3` | [`B3::single`] | `b3`; reads `x-b3-…` too |
//! | `b3multi` | [`B3::multi`] | `x-b3-…`; reads `b3` too |
//! | `jaeger` | [`Jaeger`] | `uber-trace-id`, `uberctx-…` |
//!
//! [`Propagator`] is several of them. [`HeaderExtractor`] and [`HeaderInjector`] read and write the headers of the crate `http`.
//!
//! ```
//! use backtrail::propagation::{HeaderExtractor, HeaderInjector, Propagator};
//! use opentelemetry::Context;
//!
//! let mut incoming = http::HeaderMap::new();
//! incoming.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?);
//!
//! let propagator = Propagator::default();
//! let cx = propagator.extract(&Context::new(), &HeaderExtractor(&incoming));
//!
//! let mut outgoing = http::HeaderMap::new();
//! propagator.inject(&cx, &mut HeaderInjector(&mut outgoing));
//! assert_eq!(outgoing["traceparent"], incoming["traceparent"]);
//! # Ok::<(), http::header::InvalidHeaderValue>(())
//! ```
//!
//! A context that is extracted holds more than the remote span context: the random flag, the `tracestate` as it came in, and
//! decisions of B3 and Jaeger that OpenTelemetry has no place for. All of it stays in contexts that are made from this one
//! (`with_span`, `with_value`), so start spans in the extracted context, and inject from a context that descends from it.
//!
//! Nothing here panics on any header, and nothing that is written is longer than its limit.

mod b3;
mod baggage;
mod caller;
mod carrier;
mod composite;
mod hex;
mod jaeger;
mod percent;
mod trace_context;
mod trace_state;
mod traceparent;

pub use b3::B3;
pub use baggage::Baggage;
pub(crate) use caller::{CallerDecision, Decision};
#[cfg(feature = "actix")]
pub(crate) use carrier::NO_TEXT;
pub use carrier::{HeaderExtractor, HeaderInjector};
pub use composite::Propagator;
pub use jaeger::Jaeger;
pub use trace_context::TraceContext;
