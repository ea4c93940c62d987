//! The handle of a span.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, ContextGuard, Key, KeyValue};

use super::exception::{Exception, ExceptionDetails};
use crate::{IntoAttributes, IntoValue};

/// A span, as a handle that is cheap to clone. The span ends with [`Span::end`], or when the last clone and the last [`Context`] that
/// holds it are dropped; what is called after the end does nothing.
///
/// A handle may stand for no span of its own: when tracing is off, after shutdown, or where telemetry is suppressed.
/// Then nothing is recorded, and the ids are those of the span around it, if there is one.
#[derive(Clone, Debug)]
pub struct Span {
    context: Context,
    /// Without a span of its own the context's span is another's, and is not touched.
    is_own: bool,
}

impl Span {
    pub(crate) fn own(context: Context) -> Self {
        Self {
            context,
            is_own: true,
        }
    }

    pub(crate) fn none(context: Context) -> Self {
        Self {
            context,
            is_own: false,
        }
    }

    /// The span that is active on this thread or in this task; one that does nothing when there is none.
    pub fn current() -> Self {
        let context = Context::current();
        let is_own = context.has_active_span();
        Self { context, is_own }
    }

    /// Sets an attribute. One that is set twice has the last value when the span is exported.
    pub fn set(&self, key: impl Into<Key>, value: impl IntoValue) {
        if !self.is_recording() {
            return;
        }
        if let Some(value) = value.into_value() {
            self.put(KeyValue::new(key, value));
        }
    }

    /// Sets several attributes.
    pub fn set_all(&self, attributes: impl IntoAttributes) {
        if self.is_recording() {
            let attributes = attributes.into_attributes();
            self.context.span().set_attributes(attributes);
        }
    }

    pub(crate) fn put(&self, attribute: KeyValue) {
        if self.is_own {
            self.context.span().set_attribute(attribute);
        }
    }

    /// Adds an event that happened now.
    pub fn add_event(&self, name: impl Into<Cow<'static, str>>, attributes: impl IntoAttributes) {
        if self.is_recording() {
            let attributes = attributes.into_attributes();
            self.context.span().add_event(name, attributes);
        }
    }

    /// Adds a link to another span, of this trace or another.
    pub fn add_link(&self, to: SpanContext, attributes: impl IntoAttributes) {
        if self.is_own {
            self.context
                .span()
                .add_link(to, attributes.into_attributes());
        }
    }

    /// Records an error as an exception event, and marks the span as failed: `error.type`, and the status Error with the error's message.
    pub fn record_exception<M>(&self, error: &impl Exception<M>) {
        if self.is_recording() {
            self.fail(error.details());
        }
    }

    pub(crate) fn fail(&self, details: ExceptionDetails) {
        self.fail_as(details.kind.clone(), details);
    }

    /// [`Span::fail`] with an `error.type` that says more than the name of a type.
    pub(crate) fn fail_as(&self, error_type: Cow<'static, str>, details: ExceptionDetails) {
        self.put(KeyValue::new("error.type", error_type));
        self.set_status(Status::error(details.message.clone()));
        self.add_exception(details);
    }

    fn add_exception(&self, details: ExceptionDetails) {
        let mut attributes = vec![
            KeyValue::new("exception.type", details.kind),
            KeyValue::new("exception.message", details.message),
        ];
        if let Some(stacktrace) = details.stacktrace {
            attributes.push(KeyValue::new("exception.stacktrace", stacktrace));
        }
        self.context.span().add_event("exception", attributes);
    }

    /// Sets the status. Ok is final; Error is not taken back by unset.
    pub fn set_status(&self, status: Status) {
        if self.is_own {
            self.context.span().set_status(status);
        }
    }

    /// Renames the span. A sampler has decided by the first name.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        if self.is_own {
            self.context.span().update_name(name);
        }
    }

    /// Whether what is set will be kept. False when the span was not sampled or has ended.
    pub fn is_recording(&self) -> bool {
        self.is_own && self.context.span().is_recording()
    }

    /// What other services are told of the span.
    pub fn span_context(&self) -> SpanContext {
        self.context.span().span_context().clone()
    }

    /// The trace's id; all zeros when there is no trace. It displays as 32 hexadecimal digits.
    pub fn trace_id(&self) -> TraceId {
        self.context.span().span_context().trace_id()
    }

    /// The span's id; all zeros when there is no span. It displays as 16 hexadecimal digits.
    pub fn span_id(&self) -> SpanId {
        self.context.span().span_context().span_id()
    }

    /// The context in which the span is active, for what takes one.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Makes the span the current one of this thread until the guard is dropped. Not for code with an `.await` in it:
    /// use [`create_span`](crate::create_span), or [`in_context`](crate::in_context) with [`Span::context`].
    #[must_use = "the span is current as long as the guard lives"]
    pub fn enter(&self) -> ContextGuard {
        self.context.clone().attach()
    }

    /// Ends the span now.
    pub fn end(&self) {
        if self.is_own {
            self.context.span().end();
        }
    }

    /// Ends the span at a time that has passed.
    pub fn end_at(&self, time: SystemTime) {
        if self.is_own {
            self.context.span().end_with_timestamp(time);
        }
    }
}
