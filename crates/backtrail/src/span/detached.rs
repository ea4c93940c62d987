//! A span that is in no context.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;

/// The SDK's span with what handles share.
#[derive(Debug)]
pub(super) struct Detached {
    parent: Context,
    span_context: SpanContext,
    span: Mutex<SdkSpan>,
}

impl Detached {
    pub(super) fn new(parent: Context, span: SdkSpan) -> Self {
        Self {
            parent,
            span_context: span.span_context().clone(),
            span: Mutex::new(span),
        }
    }

    pub(super) const fn parent(&self) -> &Context {
        &self.parent
    }

    pub(super) const fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    /// A panic while the lock was held leaves a span that is whole: each change of it is one push or one assignment.
    pub(super) fn lock(&self) -> MutexGuard<'_, SdkSpan> {
        self.span.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same span as a context takes it.
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Detached>);

impl Span for Shared {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let mut span = self.0.lock();
        span.add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        self.0.span_context()
    }

    fn is_recording(&self) -> bool {
        self.0.lock().is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        self.0.lock().set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        self.0.lock().set_status(status);
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.0.lock().update_name(new_name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        self.0.lock().add_link(span_context, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        self.0.lock().end_with_timestamp(timestamp);
    }
}
