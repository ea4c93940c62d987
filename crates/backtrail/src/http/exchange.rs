//! A request and its response, as long as they last.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::http::{HeaderMap, StatusCode};
use opentelemetry::trace::Status;
use opentelemetry::{Context, KeyValue};

use super::error::details_of;
use super::grpc::{self, Side};
use super::redact::Redaction;
use crate::span::{cancel, panics};
use crate::{ExceptionDetails, Span};

/// Ends the span of an exchange exactly once, however the exchange ends.
#[derive(Debug)]
pub(super) struct Exchange {
    span: Span,
    side: Side,
    is_grpc: bool,
    with_old_names: bool,
    redaction: Redaction,
    when_dropped: WhenDropped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenDropped {
    /// Nobody waits for the rest any more.
    Cancel,
    /// Who makes a request may leave the rest of a response alone.
    End,
    Nothing,
}

impl Exchange {
    /// `redaction` is for the texts of errors: they like to name URLs.
    pub(super) fn new(span: Span, side: Side, with_old_names: bool, redaction: &Redaction) -> Self {
        Self {
            span,
            side,
            is_grpc: false,
            with_old_names,
            redaction: redaction.clone(),
            when_dropped: WhenDropped::Cancel,
        }
    }

    pub(super) fn of_grpc(mut self, is_grpc: bool) -> Self {
        self.is_grpc = is_grpc;
        self
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    pub(super) fn has_old_names(&self) -> bool {
        self.with_old_names
    }

    /// The response has begun. `is_error` is the rule of the side for status codes.
    pub(super) fn head(&mut self, status: StatusCode, headers: &HeaderMap, is_error: bool) {
        if self.side == Side::Client {
            self.when_dropped = WhenDropped::End;
        }
        record_status(&self.span, status.as_u16(), is_error, self.with_old_names);
        if self.is_grpc {
            grpc::record_status(&self.span, self.side, headers, self.with_old_names);
        }
    }

    pub(super) fn trailers(&self, trailers: &HeaderMap) {
        if self.is_grpc {
            grpc::record_status(&self.span, self.side, trailers, self.with_old_names);
        }
    }

    pub(super) fn finish(mut self) {
        self.when_dropped = WhenDropped::Nothing;
        self.span.end();
    }

    pub(super) fn fail<E: Display + 'static>(self, error: &E) {
        self.fail_with(|| details_of(error));
    }

    pub(super) fn fail_with(self, details: impl FnOnce() -> ExceptionDetails) {
        if self.span.is_recording() {
            let mut details = details();
            details.message = self.redaction.urls_in(details.message);
            details.stacktrace = details.stacktrace.map(|text| self.redaction.urls_in(text));
            self.span.fail(details);
        }
        self.finish();
    }

    pub(super) fn panicked(self, payload: &(dyn Any + Send)) {
        panics::record(&self.span, payload);
        self.finish();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        match self.when_dropped {
            WhenDropped::Cancel => cancel(&self.span),
            WhenDropped::End => self.span.end(),
            WhenDropped::Nothing => {}
        }
    }
}

/// `http.response.status_code`, and `error.type` if it is an error. The status has no description: the code says it.
pub(super) fn record_status(span: &Span, status: u16, is_error: bool, with_old_names: bool) {
    let code = i64::from(status);
    span.put(KeyValue::new("http.response.status_code", code));
    if with_old_names {
        span.put(KeyValue::new("http.status_code", code));
    }
    if is_error {
        span.put(KeyValue::new("error.type", status.to_string()));
        span.set_status(Status::error(""));
    }
}

/// Runs code of the service in a context. A panic is returned, to be recorded and to go on: nothing that it broke is looked at.
pub(super) fn run_in<T>(
    context: &Context,
    code: impl FnOnce() -> T,
) -> Result<T, Box<dyn Any + Send>> {
    let _entered = context.clone().attach();
    catch_unwind(AssertUnwindSafe(code))
}
