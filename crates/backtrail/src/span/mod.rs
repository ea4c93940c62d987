//! Spans: their handle, how they are made, and what becomes of the code that runs within them.

mod builder;
mod detached;
mod driver;
mod exception;
mod future;
mod handle;
mod outcome;
pub(crate) mod panics;

pub use builder::SpanBuilder;
pub(crate) use builder::run_within;
#[cfg(feature = "http")]
pub(crate) use exception::told;
pub use exception::{Exception, ExceptionDetails};
pub use future::TracedFuture;
#[cfg(any(feature = "http", feature = "sqlx"))]
pub(crate) use future::cancel;
pub use handle::Span;
pub use outcome::Outcome;

use std::borrow::Cow;
use std::future::Future;

use crate::IntoAttributes;

/// Begins the description of a span; [`SpanBuilder`] says what can be added.
///
/// ```
/// use backtrail::SpanKind;
///
/// let span = backtrail::span("charge card").kind(SpanKind::Client).attribute("card.brand", "visa").start();
/// span.end();
/// ```
#[inline]
pub fn span(name: impl Into<Cow<'static, str>>) -> SpanBuilder {
    SpanBuilder::new(name.into())
}

/// Runs asynchronous code in a span of its own, and records how it ends.
///
/// The span starts now, below the current one, and ends with the code. It is the current span while the code runs, on whatever thread
/// that is. `Ok` sets the status Ok (see [`SpanBuilder::ok_status`]); `Err` is recorded as an exception event with type, message and the
/// chain of sources, sets `error.type` and the status Error, and is returned as it is. A panic is recorded and goes on. When the
/// future is dropped before it is done, the span says so with the event and the attribute `cancelled`.
///
/// Code that returns no `Result` goes into [`in_span`].
///
/// ```
/// # async fn load(id: u64) -> Result<String, std::io::Error> { Ok(id.to_string()) }
/// # async fn show(id: u64) -> Result<(), std::io::Error> {
/// let order = backtrail::create_span("load order", [("order.id", id)], async |span| {
///     let order = load(id).await?;
///     span.set("order.len", order.len());
///     Ok::<_, std::io::Error>(order)
/// })
/// .await?;
/// # drop(order); Ok(()) }
/// ```
pub fn create_span<M, F, Fut>(
    name: impl Into<Cow<'static, str>>,
    attributes: impl IntoAttributes,
    code: F,
) -> TracedFuture<Fut>
where
    F: FnOnce(Span) -> Fut,
    Fut: Future,
    Fut::Output: Outcome<M>,
{
    span(name).attributes(attributes).run(code)
}

/// [`create_span`] for code that is not asynchronous.
///
/// ```
/// let port = backtrail::create_span_sync("parse port", (), |_span| "8080".parse::<u16>())?;
/// # Ok::<(), std::num::ParseIntError>(())
/// ```
pub fn create_span_sync<M, T: Outcome<M>>(
    name: impl Into<Cow<'static, str>>,
    attributes: impl IntoAttributes,
    code: impl FnOnce(Span) -> T,
) -> T {
    span(name).attributes(attributes).run_sync(code)
}

/// Runs asynchronous code that returns anything in a span of its own. What it returns is not looked at, so the status stays unset;
/// panics and cancellation are recorded as [`create_span`] does.
pub fn in_span<F, Fut>(
    name: impl Into<Cow<'static, str>>,
    attributes: impl IntoAttributes,
    code: F,
) -> TracedFuture<Fut>
where
    F: FnOnce(Span) -> Fut,
    Fut: Future,
{
    span(name).attributes(attributes).run_plain(code)
}

/// [`in_span`] for code that is not asynchronous.
pub fn in_span_sync<T>(
    name: impl Into<Cow<'static, str>>,
    attributes: impl IntoAttributes,
    code: impl FnOnce(Span) -> T,
) -> T {
    span(name).attributes(attributes).run_plain_sync(code)
}
