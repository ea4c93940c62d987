//! The description of a span that is about to start.

use std::borrow::Cow;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt as _};
use opentelemetry::{Context, Key};

use super::detached::Detached;
use super::{Outcome, Span, TracedFuture, panics};
use crate::current::has_context;
use crate::system::{Scope, System};
use crate::tracer::{Draft, Parent, Started};
use crate::{IntoAttributes, IntoValue};

/// A span that is described and not started yet. [`span`](crate::span) makes one.
#[derive(Debug)]
#[must_use = "a span that is not started is not there"]
pub struct SpanBuilder {
    /// Nothing when no system of this process makes spans: nothing is kept of what is described then, but for the parent. That is elsewhere
    /// because a description is moved often: it goes in two registers.
    draft: Option<Draft>,
    parent_without_draft: Option<Box<Parent>>,
}

impl SpanBuilder {
    #[inline]
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self {
            draft: System::any_is_active().then(|| Draft::new(name)),
            parent_without_draft: None,
        }
    }

    /// What starts no span: for an instrumentation that is switched off, whose code runs all the same.
    #[inline]
    pub(crate) const fn off() -> Self {
        Self {
            draft: None,
            parent_without_draft: None,
        }
    }

    /// Which side of what it is; internal if nothing is said.
    #[inline]
    pub fn kind(mut self, kind: SpanKind) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.set_kind(kind);
        }
        self
    }

    /// Adds an attribute, which samplers see. A text is copied into the span: lend it (`&str`) where you keep it.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a call would move the description in and out: 2 ns for each attribute, also where tracing is off"
    )]
    pub fn attribute(mut self, key: impl Into<Key>, value: impl IntoValue) -> Self {
        if let Some(draft) = &mut self.draft {
            value.lend_value(|value| draft.put(key.into().as_str(), value));
        }
        self
    }

    /// Adds attributes, which samplers see.
    #[inline]
    pub fn attributes(mut self, attributes: impl IntoAttributes) -> Self {
        if let Some(draft) = &mut self.draft {
            attributes.lend_attributes(|key, value| draft.put(key, value));
        }
        self
    }

    /// Adds attributes that are made only when a system makes spans: for hot paths, so that tracing that is off costs nothing.
    ///
    /// ```
    /// let path = String::from("/orders/7");
    /// let span = backtrail::span("GET").attributes_with(|| [("url.path", path.clone())]).start();
    /// # span.end();
    /// ```
    #[inline]
    pub fn attributes_with<A: IntoAttributes>(self, make: impl FnOnce() -> A) -> Self {
        if self.draft.is_none() {
            return self;
        }
        self.attributes(make())
    }

    /// Adds a link: to the span of a message that is handled here, or to the request that this work was split from.
    pub fn link(mut self, to: SpanContext, attributes: impl IntoAttributes) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.push_link(Link::new(to, attributes.into_attributes(), 0));
        }
        self
    }

    /// Starts below the span of this context, and not below the current one.
    pub fn parent(self, context: &Context) -> Self {
        self.below(Parent::Context(context.clone()))
    }

    /// Starts a trace of its own. Baggage and other values of the current context stay.
    pub fn root(self) -> Self {
        self.below(Parent::Root)
    }

    fn below(mut self, parent: Parent) -> Self {
        match &mut self.draft {
            Some(draft) => draft.set_parent(parent),
            None => self.parent_without_draft = Some(Box::new(parent)),
        }
        self
    }

    /// When it started, if that was before now.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.set_start_time(time);
        }
        self
    }

    /// Whether `Ok` sets the status Ok. The system's setting, if nothing is said
    /// ([`TracingSystemBuilder::ok_status`](crate::TracingSystemBuilder::ok_status)).
    pub fn ok_status(mut self, is_set: bool) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.set_ok_status(is_set);
        }
        self
    }

    #[inline]
    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        if let Some(draft) = &mut self.draft {
            draft.set_scope(scope);
        }
        self
    }

    /// Starts the span. It is not the current one: see [`Span::enter`].
    #[inline]
    pub fn start(self) -> Span {
        self.start_as(Placement::Detached, &mut false)
    }

    /// Starts a span that code is about to run in.
    pub(crate) fn start_active(self) -> Span {
        self.start_as(Placement::Active, &mut false)
    }

    /// Runs asynchronous code in the span, and records how it ends: [`create_span`](crate::create_span) says how.
    pub fn run<M, F, Fut>(self, code: F) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future,
        Fut::Output: Outcome<M>,
    {
        self.run_either(code, Outcome::record, Outcome::record_failure)
    }

    /// Runs asynchronous code in the span without a look at what it returns: [`in_span`](crate::in_span).
    pub fn run_plain<F, Fut>(self, code: F) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future,
    {
        TracedFuture::new(self.start_active(), code, |_, _| ())
    }

    /// Runs asynchronous code in the span, and records how it ends: by the first function where success sets the status Ok, else by the
    /// second.
    pub(crate) fn run_either<F, Fut>(
        self,
        code: F,
        record: fn(&Fut::Output, &Span),
        record_failure: fn(&Fut::Output, &Span),
    ) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future,
    {
        let mut sets_ok_status = false;
        let span = self.start_as(Placement::Active, &mut sets_ok_status);
        let record = if sets_ok_status {
            record
        } else {
            record_failure
        };
        TracedFuture::new(span, code, record)
    }

    /// Runs asynchronous code in the span, and records how it ends in a way of its own.
    pub(crate) fn run_recorded<F, Fut>(
        self,
        code: F,
        record: fn(&Fut::Output, &Span),
    ) -> TracedFuture<Fut>
    where
        F: FnOnce(Span) -> Fut,
        Fut: Future,
    {
        TracedFuture::new(self.start_active(), code, record)
    }

    /// Runs code in the span, which stays open. The last value says whether success sets the status Ok.
    pub(crate) fn run_open<T>(self, code: impl FnOnce(Span) -> T) -> (T, Span, bool) {
        let mut sets_ok_status = false;
        let span = self.start_as(Placement::Active, &mut sets_ok_status);
        let output = run_within(&span, code);
        (output, span, sets_ok_status)
    }

    /// Runs code in the span, and records how it ends: [`create_span_sync`](crate::create_span_sync).
    pub fn run_sync<M, T: Outcome<M>>(self, code: impl FnOnce(Span) -> T) -> T {
        let (output, span, sets_ok_status) = self.run_open(code);
        if sets_ok_status {
            output.record(&span);
        } else {
            output.record_failure(&span);
        }
        span.end();
        output
    }

    /// Runs code in the span without a look at what it returns: [`in_span_sync`](crate::in_span_sync).
    pub fn run_plain_sync<T>(self, code: impl FnOnce(Span) -> T) -> T {
        let (output, span, _) = self.run_open(code);
        span.end();
        output
    }

    /// The span; and whether success sets its status Ok, apart from it so that a span is not moved once more.
    fn start_as(self, placement: Placement, sets_ok_status: &mut bool) -> Span {
        if !has_context() {
            return Span::nothing();
        }
        let Some(mut draft) = self.draft else {
            return match self.parent_without_draft {
                Some(parent) => Span::none(parent.context()),
                None if Context::map_current(Context::has_active_span) => {
                    Span::none(Context::current())
                }
                None => Span::nothing(),
            };
        };
        let parent = draft.take_parent().context();
        let Some((tracer, is_ok_status_set)) = System::tracer_of(&parent) else {
            return Span::none(parent);
        };
        *sets_ok_status = draft.ok_status().unwrap_or(is_ok_status_set);
        match tracer.start(draft, &parent) {
            Started::Nothing => Span::none(parent),
            // Without the box and the lock that a span which records needs.
            Started::Dropped(context) => Span::active(parent.with_remote_span_context(context)),
            Started::Recording(span) if placement == Placement::Active => {
                Span::active(parent.with_span(span))
            }
            Started::Recording(span) => Span::detached(Detached::new(parent, span)),
        }
    }
}

/// Where a span is kept: [`Span`] says why there are two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    Active,
    Detached,
}

/// Runs code in a span that stays open. It is told of a panic, and ends then.
pub(crate) fn run_within<T>(span: &Span, code: impl FnOnce(Span) -> T) -> T {
    if span.is_nothing() {
        return code(span.clone());
    }
    let entered = span.enter();
    if span.is_none() {
        return code(span.clone());
    }
    // The span is told of the panic, which then goes on as if nobody had caught it: nothing that it broke is looked at.
    match catch_unwind(AssertUnwindSafe(|| code(span.clone()))) {
        Ok(output) => output,
        Err(payload) => {
            panics::record(span, &*payload);
            drop(entered);
            span.end();
            resume_unwind(payload)
        }
    }
}
