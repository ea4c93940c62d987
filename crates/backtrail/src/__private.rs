//! What `#[traced]` expands to. Nothing here is for people, and all of it may change.
//!
//! The macro does not know what a function returns: `Result` may be an alias, and an alias may be named anything. So each type
//! that a function may return is asked what it is, by the order in which the compiler looks for a method: on `&&&&Probe` the traits
//! below are found from the most to the least special one, and a bound that is not met lets the compiler look further.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;

use opentelemetry::trace::Status;

use crate::{ExceptionDetails, Outcome, Span, SpanBuilder, TracedFuture};

/// What a function returned.
#[derive(Debug)]
pub struct Probe<'a, T>(pub &'a T);

/// A `Result` whose error is an [`Exception`](crate::Exception): recorded as [`create_span`](crate::create_span) does.
pub trait RecordOutcome<M> {
    #[doc(hidden)]
    fn record(&self, span: &Span);
    #[doc(hidden)]
    fn record_failure(&self, span: &Span);
}

impl<T: Outcome<M>, M> RecordOutcome<M> for &&&Probe<'_, T> {
    fn record(&self, span: &Span) {
        self.0.record(span);
    }

    fn record_failure(&self, span: &Span) {
        self.0.record_failure(span);
    }
}

/// A `Result` with another error that can be displayed.
pub trait RecordText {
    #[doc(hidden)]
    fn record(&self, span: &Span);
    #[doc(hidden)]
    fn record_failure(&self, span: &Span);
}

impl<T, E: Display> RecordText for &&Probe<'_, Result<T, E>> {
    fn record(&self, span: &Span) {
        match self.0 {
            Ok(_) => span.set_status(Status::Ok),
            Err(error) => fail::<E>(span, || error.to_string()),
        }
    }

    fn record_failure(&self, span: &Span) {
        if let Err(error) = self.0 {
            fail::<E>(span, || error.to_string());
        }
    }
}

/// A `Result` with an error that says nothing but its type.
pub trait RecordOther {
    #[doc(hidden)]
    fn record(&self, span: &Span);
    #[doc(hidden)]
    fn record_failure(&self, span: &Span);
}

impl<T, E> RecordOther for &Probe<'_, Result<T, E>> {
    fn record(&self, span: &Span) {
        match self.0 {
            Ok(_) => span.set_status(Status::Ok),
            Err(_) => fail::<E>(span, String::new),
        }
    }

    fn record_failure(&self, span: &Span) {
        if self.0.is_err() {
            fail::<E>(span, String::new);
        }
    }
}

/// All else: not looked at, as [`in_span`](crate::in_span) does.
pub trait RecordAnything {
    #[doc(hidden)]
    fn record(&self, _span: &Span) {}
    #[doc(hidden)]
    fn record_failure(&self, _span: &Span) {}
}

impl<T> RecordAnything for Probe<'_, T> {}

/// Bytes of one message that are kept.
const MAX_MESSAGE_LEN_BYTES: usize = 8 * 1024;

fn fail<E>(span: &Span, message: impl FnOnce() -> String) {
    if !span.is_recording() {
        return;
    }
    let mut message = message();
    if message.len() > MAX_MESSAGE_LEN_BYTES {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_LEN_BYTES));
        message.push('…');
    }
    span.fail(ExceptionDetails {
        kind: Cow::Borrowed(type_name::<E>()),
        message,
        stacktrace: None,
    });
}

/// A future in a span that starts now.
pub fn traced<F: Future>(
    span: SpanBuilder,
    future: F,
    record: fn(&F::Output, &Span),
    record_failure: fn(&F::Output, &Span),
) -> TracedFuture<F> {
    span.run_either(|_| future, record, record_failure)
}

/// Runs code in a span, which goes on until it has been told what came out.
pub fn called<T>(span: SpanBuilder, code: impl FnOnce() -> T) -> (T, Called) {
    let (output, span, sets_ok_status) = span.run_open(|_| code());
    let called = Called {
        span,
        sets_ok_status,
    };
    (output, called)
}

/// A span whose code is done.
#[derive(Debug)]
pub struct Called {
    span: Span,
    sets_ok_status: bool,
}

impl Called {
    #[doc(hidden)]
    pub fn span(&self) -> &Span {
        &self.span
    }

    #[doc(hidden)]
    pub fn sets_ok_status(&self) -> bool {
        self.sets_ok_status
    }

    #[doc(hidden)]
    pub fn end(self) {
        self.span.end();
    }
}
