//! A span of messages that has started.

use std::future::Future;

use crate::span::run_within;
use crate::{Outcome, Span, TracedFuture};

/// A span that [`Producer::send`](super::Producer::send) or [`Consumer::process`](super::Consumer::process) started, for the code that sends or
/// processes. The message is free to go with that code. If it is dropped instead, the span ends then.
#[derive(Debug)]
#[must_use = "the span is for code that runs in it"]
pub struct Started(Span);

impl Started {
    pub(super) fn new(span: Span) -> Self {
        Self(span)
    }

    /// The span, for attributes that are known only now.
    pub fn span(&self) -> &Span {
        &self.0
    }

    /// Runs asynchronous code in the span. `Err` is recorded as [`create_span`](crate::create_span) does; `Ok` leaves the status unset.
    pub fn run<M, F, Fut>(self, code: F) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future,
        Fut::Output: Outcome<M>,
    {
        TracedFuture::new(self.0, code, Outcome::record_failure)
    }

    /// [`Started::run`] for code that is not asynchronous.
    pub fn run_sync<M, T: Outcome<M>>(self, code: impl FnOnce(Span) -> T) -> T {
        let output = run_within(&self.0, code);
        output.record_failure(&self.0);
        self.0.end();
        output
    }
}
