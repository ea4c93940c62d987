//! The handle of a span.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Span as _, SpanContext, SpanId, Status, TraceContextExt, TraceId};
use opentelemetry::{Context, ContextGuard, Key, KeyValue};

use super::detached::Detached;
use super::exception::{Exception, ExceptionDetails};
use crate::current::has_context;
use crate::{IntoAttributes, IntoValue, redact};

/// A span, as a handle that is cheap to clone. The span ends with [`Span::end`], or when the last clone and the last [`Context`] that
/// holds it are dropped; what is called after the end does nothing.
///
/// A handle may stand for no span of its own: when tracing is off, where telemetry is suppressed, or when the provider of the SDK was shut down.
/// Then nothing is recorded, and the ids are those of the span around it, if there is one.
#[derive(Clone, Debug)]
pub struct Span(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// Tracing is off, and nothing is around: the current context is as good as any other.
    Nothing,
    /// No span of its own: the context's span is another's, and is not touched.
    None(Context),
    /// A span that is in a context, because code runs in it.
    Active(Context),
    /// A span that is in no context yet, and may never be: that saves allocations, and calls through a table.
    Detached(Detached),
}

impl Span {
    pub(crate) const fn active(context: Context) -> Self {
        Self(Repr::Active(context))
    }

    #[inline]
    pub(super) fn detached(span: Detached) -> Self {
        Self(Repr::Detached(span))
    }

    pub(crate) const fn none(context: Context) -> Self {
        Self(Repr::None(context))
    }

    pub(super) const fn nothing() -> Self {
        Self(Repr::Nothing)
    }

    /// Whether there is no span of its own.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self.0, Repr::Nothing | Repr::None(_))
    }

    /// Whether code that is said to run in it may run as it is.
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self.0, Repr::Nothing)
    }

    /// The span that is active on this thread or in this task; one that does nothing when there is none.
    pub fn current() -> Self {
        if !has_context() {
            return Self::nothing();
        }
        let context = Context::current();
        if context.has_active_span() {
            Self::active(context)
        } else {
            Self::none(context)
        }
    }

    /// Sets an attribute. One that is set twice has the last value when the span is exported.
    #[inline]
    pub fn set(&self, key: impl Into<Key>, value: impl IntoValue) {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => {
                let span = context.span();
                if span.is_recording()
                    && let Some(value) = value.into_value()
                {
                    span.set_attribute(KeyValue::new(key, value));
                }
            }
            Repr::Detached(span) => {
                // Code of the service, so not under the span's lock.
                let key = key.into();
                value.lend_value(|value| span.with(|span| span.put(key.as_str(), value)));
            }
        }
    }

    /// Sets several attributes.
    pub fn set_all(&self, attributes: impl IntoAttributes) {
        if self.may_record() {
            let attributes = attributes.into_attributes();
            match &self.0 {
                Repr::Nothing | Repr::None(_) => {}
                Repr::Active(context) => context.span().set_attributes(attributes),
                Repr::Detached(span) => span.with(|span| span.set_attributes(attributes)),
            }
        }
    }

    #[inline]
    pub(crate) fn put(&self, attribute: KeyValue) {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => context.span().set_attribute(attribute),
            Repr::Detached(span) => span.with(|span| span.set_attribute(attribute)),
        }
    }

    /// Adds an event that happened now.
    pub fn add_event(&self, name: impl Into<Cow<'static, str>>, attributes: impl IntoAttributes) {
        if self.may_record() {
            // Code of the service, so not under the span's lock.
            let (name, attributes) = (name.into(), attributes.into_attributes());
            match &self.0 {
                Repr::Nothing | Repr::None(_) => {}
                Repr::Active(context) => context.span().add_event(name, attributes),
                Repr::Detached(span) => span.with(|span| span.add_event(name, attributes)),
            }
        }
    }

    /// Adds a link to another span, of this trace or another.
    pub fn add_link(&self, to: SpanContext, attributes: impl IntoAttributes) {
        if self.may_record() {
            let attributes = attributes.into_attributes();
            match &self.0 {
                Repr::Nothing | Repr::None(_) => {}
                Repr::Active(context) => context.span().add_link(to, attributes),
                Repr::Detached(span) => span.with(|span| span.add_link(to, attributes)),
            }
        }
    }

    /// Records an error as an exception event, and marks the span as failed: `error.type`, and the status Error with the error's message.
    /// Of URLs in it, user and password and the values of query keys that are known to be secret are `REDACTED`.
    pub fn record_exception<M>(&self, error: &impl Exception<M>) {
        if self.is_recording() {
            self.fail(error.details());
        }
    }

    pub(crate) fn fail(&self, details: ExceptionDetails) {
        self.fail_as(details.kind.clone(), details);
    }

    /// [`Span::fail`] with an `error.type` that says more than the name of a type.
    /// URLs in it are redacted, because messages of HTTP clients name them.
    pub(crate) fn fail_as(&self, error_type: Cow<'static, str>, details: ExceptionDetails) {
        let message = redact::urls_in(details.message);
        self.put(KeyValue::new("error.type", error_type));
        self.set_status(Status::error(message.clone()));
        let mut attributes = vec![
            KeyValue::new("exception.type", details.kind),
            KeyValue::new("exception.message", message),
        ];
        if let Some(stacktrace) = details.stacktrace.map(redact::urls_in) {
            attributes.push(KeyValue::new("exception.stacktrace", stacktrace));
        }
        self.add_event("exception", attributes);
    }

    /// Sets the status. Ok is final; Error is not taken back by unset.
    pub fn set_status(&self, status: Status) {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => context.span().set_status(status),
            Repr::Detached(span) => span.with(|span| span.set_status(status)),
        }
    }

    /// Renames the span. A sampler has decided by the first name.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        // Code of the service, so not under the span's lock.
        let name = name.into();
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => context.span().update_name(name),
            Repr::Detached(span) => span.with(|span| span.update_name(name)),
        }
    }

    /// Whether what is set will be kept. False when the span was not sampled or has ended.
    pub fn is_recording(&self) -> bool {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => false,
            Repr::Active(context) => context.span().is_recording(),
            Repr::Detached(span) => span.with(|span| span.is_recording()),
        }
    }

    /// False only when nothing would be kept: values need not be made then. Takes no lock of a span that no code runs in.
    fn may_record(&self) -> bool {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => false,
            Repr::Active(context) => context.span().is_recording(),
            Repr::Detached(_) => true,
        }
    }

    /// What other services are told of the span.
    pub fn span_context(&self) -> SpanContext {
        self.with_span_context(SpanContext::clone)
    }

    /// The trace's id; all zeros when there is no trace. It displays as 32 hexadecimal digits.
    pub fn trace_id(&self) -> TraceId {
        self.with_span_context(SpanContext::trace_id)
    }

    /// The span's id; all zeros when there is no span. It displays as 16 hexadecimal digits.
    pub fn span_id(&self) -> SpanId {
        self.with_span_context(SpanContext::span_id)
    }

    fn with_span_context<T>(&self, read: impl FnOnce(&SpanContext) -> T) -> T {
        match &self.0 {
            Repr::Nothing => read(&SpanContext::NONE),
            Repr::None(context) | Repr::Active(context) => read(context.span().span_context()),
            Repr::Detached(span) => span.with(|span| read(span.span_context())),
        }
    }

    /// A context in which the span is active, for what takes one.
    pub fn context(&self) -> Context {
        match &self.0 {
            Repr::Nothing => Context::current(),
            Repr::None(context) | Repr::Active(context) => context.clone(),
            Repr::Detached(span) => span.context(),
        }
    }

    /// Makes the span the current one of this thread until the guard is dropped. Not for code with an `.await` in it:
    /// use [`create_span`](crate::create_span), or [`in_context`](crate::in_context) with [`Span::context`].
    #[must_use = "the span is current as long as the guard lives"]
    pub fn enter(&self) -> ContextGuard {
        self.context().attach()
    }

    /// Ends the span now.
    #[inline]
    pub fn end(&self) {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => context.span().end(),
            Repr::Detached(span) => span.with(opentelemetry::trace::Span::end),
        }
    }

    /// Ends the span at a time that has passed.
    pub fn end_at(&self, time: SystemTime) {
        match &self.0 {
            Repr::Nothing | Repr::None(_) => {}
            Repr::Active(context) => context.span().end_with_timestamp(time),
            Repr::Detached(span) => span.with(|span| span.end_with_timestamp(time)),
        }
    }
}
