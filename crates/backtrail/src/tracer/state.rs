//! What is known of a span, in memory that goes from span to span.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status};

use super::{Parent, TracerRef};
use crate::export::encode::AttributeList;
use crate::system::Scope;

/// States that a thread keeps for its next spans: as many as are commonly open in one at a time.
const MAX_KEPT: usize = 16;
/// The room for attributes that each may have, so that a thread keeps 64 KiB of it at most.
const MAX_KEPT_BYTES: usize = 4 * 1024;

/// A span that is described, open, or has ended.
#[derive(Debug)]
pub(super) struct State {
    pub(super) name: Cow<'static, str>,
    pub(super) kind: SpanKind,
    pub(super) start_unix_nano: Option<u64>,
    pub(super) attributes: AttributeList,
    pub(super) dropped_attributes_count: u32,
    pub(super) status: Status,
    /// What few spans have.
    pub(super) rest: Option<Box<Rest>>,
    pub(super) context: SpanContext,
    pub(super) parent_span_id: SpanId,
    pub(super) parent_is_remote: bool,
    pub(super) scope: Scope,
    /// Said of it before it starts.
    pub(super) parent: Parent,
    pub(super) ok_status: Option<bool>,
    /// Who made the span; nothing before it starts and after it has ended.
    pub(super) tracer: Option<TracerRef>,
}

#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Links that are described. When the span starts they are encoded.
    pub(super) described_links: Vec<Link>,
    pub(super) links: Encoded,
    pub(super) events: Encoded,
}

/// Members of a list of the span, each as a field of its message.
#[derive(Debug, Default)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) len: u32,
    pub(super) dropped_count: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            name: Cow::Borrowed(""),
            kind: SpanKind::Internal,
            start_unix_nano: None,
            attributes: AttributeList::default(),
            dropped_attributes_count: 0,
            status: Status::Unset,
            rest: None,
            context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_is_remote: false,
            scope: Scope::Service,
            parent: Parent::Current,
            ok_status: None,
            tracer: None,
        }
    }
}

impl State {
    pub(super) fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// Forgets what was said of the span: it has ended, and whoever still has it in a context needs no more than its ids.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.name = Cow::Borrowed("");
        self.attributes.clear(MAX_KEPT_BYTES);
        self.status = Status::Unset;
        self.rest = None;
    }

    /// As new, but for the parent's id, which every span that starts has anew.
    #[inline]
    fn reset(&mut self) {
        self.forget();
        self.kind = SpanKind::Internal;
        self.start_unix_nano = None;
        self.dropped_attributes_count = 0;
        self.context = SpanContext::NONE;
        self.scope = Scope::Service;
        self.parent = Parent::Current;
        self.ok_status = None;
        self.tracer = None;
    }
}

thread_local! {
    #[expect(clippy::vec_box, reason = "boxes are what is kept")]
    static KEPT: RefCell<Vec<Box<State>>> = const { RefCell::new(Vec::new()) };
}

/// A [`State`] of its own, whose memory the thread that drops it keeps for its next span.
#[derive(Debug)]
pub(super) struct Pooled(Option<Box<State>>);

impl Pooled {
    #[inline]
    pub(super) fn take() -> Self {
        // A thread that is ending keeps nothing any more.
        let kept = KEPT.try_with(|kept| kept.borrow_mut().pop()).ok().flatten();
        Self(Some(kept.unwrap_or_default()))
    }
}

impl Deref for Pooled {
    type Target = State;

    #[inline]
    fn deref(&self) -> &State {
        self.0.as_deref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Pooled {
    #[inline]
    fn deref_mut(&mut self) -> &mut State {
        self.0
            .as_deref_mut()
            .expect("it is there until it is dropped")
    }
}

impl Drop for Pooled {
    #[inline]
    fn drop(&mut self) {
        let Some(mut state) = self.0.take() else {
            return;
        };
        state.reset();
        // What is not kept is dropped: the thread is ending, or has enough.
        let _unkept = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < MAX_KEPT {
                kept.push(state);
            }
        });
    }
}
