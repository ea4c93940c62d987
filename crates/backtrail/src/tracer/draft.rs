//! A span that is described and not started.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanKind};

use super::state::Pooled;
use crate::ValueRef;
use crate::export::encode::unix_nanos;

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
}
