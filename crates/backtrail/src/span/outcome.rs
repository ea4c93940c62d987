//! What code in a span returns.

use opentelemetry::trace::Status;

use super::{Exception, Span};

/// What [`create_span`](crate::create_span) may be given: code that returns a `Result` with any error that is an [`Exception`].
///
/// The parameter `M` tells the implementations apart; it is inferred and means nothing.
pub trait Outcome<M> {
    /// Tells the span how it went: Ok or Error.
    fn record(&self, span: &Span);

    /// Tells the span of a failure only, so that success leaves the status unset.
    fn record_failure(&self, span: &Span);
}

impl<T, E, M> Outcome<(M,)> for Result<T, E>
where
    E: Exception<M>,
{
    fn record(&self, span: &Span) {
        match self {
            Ok(_) => span.set_status(Status::Ok),
            Err(error) => span.record_exception(error),
        }
    }

    fn record_failure(&self, span: &Span) {
        if let Err(error) = self {
            span.record_exception(error);
        }
    }
}
