//! A span that is described and not started.

use std::borrow::Cow;
use std::mem;
use std::time::SystemTime;

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt as _};

use super::state::Pooled;
use crate::ValueRef;
use crate::export::encode::unix_nanos;
use crate::system::Scope;

/// Which span a span is to start below.
#[derive(Debug, Default)]
pub(crate) enum Parent {
    #[default]
    Current,
    Context(Context),
    /// None. What else the current context has stays.
    Root,
}

impl Parent {
    /// The context that the span is in.
    #[inline]
    pub(crate) fn context(self) -> Context {
        match self {
            Self::Current => Context::current(),
            Self::Context(context) => context,
            Self::Root => Context::current().with_remote_span_context(SpanContext::NONE),
        }
    }
}

/// The description of a span. It becomes the span's own memory when [`TracerRef::start`](super::TracerRef::start) starts it.
#[derive(Debug)]
pub(crate) struct Draft(pub(super) Pooled);

impl Draft {
    #[inline]
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        let mut state = Pooled::take();
        state.name = name;
        Self(state)
    }

    #[inline]
    pub(crate) fn set_kind(&mut self, kind: SpanKind) {
        self.0.kind = kind;
    }

    /// Whole, and however many there are: limits are those of the system that starts it.
    #[inline]
    pub(crate) fn put(&mut self, key: &str, value: ValueRef<'_>) {
        self.0.attributes.put(key, value, None);
    }

    pub(crate) fn push_link(&mut self, link: Link) {
        self.0.rest().described_links.push(link);
    }

    pub(crate) fn set_start_time(&mut self, time: SystemTime) {
        self.0.start_unix_nano = Some(unix_nanos(time));
    }

    pub(crate) fn set_parent(&mut self, parent: Parent) {
        self.0.parent = parent;
    }

    #[inline]
    pub(crate) fn take_parent(&mut self) -> Parent {
        mem::take(&mut self.0.parent)
    }

    #[inline]
    pub(crate) fn set_scope(&mut self, scope: Scope) {
        self.0.scope = scope;
    }

    pub(crate) fn set_ok_status(&mut self, is_set: bool) {
        self.0.ok_status = Some(is_set);
    }

    /// What was said of it.
    #[inline]
    pub(crate) fn ok_status(&self) -> Option<bool> {
        self.0.ok_status
    }
}
