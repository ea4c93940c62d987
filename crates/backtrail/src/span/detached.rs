//! A span that is in no context.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::tracer::Recording;

/// A span where its handle is, until somebody else wants it too: most spans that are started by hand end where they began, and are not shared.
#[derive(Debug)]
pub(super) struct Detached {
    parent: Context,
    place: Mutex<Place>,
}

#[derive(Debug)]
enum Place {
    Here(Recording),
    Shared(Arc<Mutex<Recording>>),
    /// Only while it moves from the first to the second.
    Moving,
}

impl Detached {
    #[inline]
    pub(super) fn new(parent: Context, span: Recording) -> Self {
        Self {
            parent,
            place: Mutex::new(Place::Here(span)),
        }
    }

    /// Does something with the span.
    #[inline]
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Recording) -> T) -> T {
        let shared = match &mut *lock(&self.place) {
            Place::Here(span) => return act(span),
            Place::Shared(span) => Arc::clone(span),
            Place::Moving => unreachable!("it moves under the lock that is held here"),
        };
        act(&mut lock(&shared))
    }

    /// A context in which the span is active.
    pub(super) fn context(&self) -> Context {
        let span = self.shared();
        let span_context = lock(&span).span_context().clone();
        self.parent.with_span(Shared { span, span_context })
    }

    fn shared(&self) -> Arc<Mutex<Recording>> {
        let mut place = lock(&self.place);
        let shared = match mem::replace(&mut *place, Place::Moving) {
            Place::Here(span) => Arc::new(Mutex::new(span)),
            Place::Shared(span) => span,
            Place::Moving => unreachable!("it moves under the lock that is held here"),
        };
        *place = Place::Shared(Arc::clone(&shared));
        shared
    }
}

impl Clone for Detached {
    fn clone(&self) -> Self {
        Self {
            parent: self.parent.clone(),
            place: Mutex::new(Place::Shared(self.shared())),
        }
    }
}

/// A panic while the lock was held leaves a span that is whole: code of the service does not run then, and nothing else that changes it panics.
#[inline]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same span as a context takes it.
#[derive(Debug)]
struct Shared {
    span: Arc<Mutex<Recording>>,
    span_context: SpanContext,
}

impl Span for Shared {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        lock(&self.span).add_event_with_timestamp(name, timestamp, attributes);
    }

    fn span_context(&self) -> &SpanContext {
        &self.span_context
    }

    fn is_recording(&self) -> bool {
        lock(&self.span).is_recording()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        lock(&self.span).set_attribute(attribute);
    }

    fn set_status(&mut self, status: Status) {
        lock(&self.span).set_status(status);
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        lock(&self.span).update_name(new_name);
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        lock(&self.span).add_link(span_context, attributes);
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        lock(&self.span).end_with_timestamp(timestamp);
    }
}
