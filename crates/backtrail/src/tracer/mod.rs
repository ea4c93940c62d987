//! What makes the spans of the crate.
//!
//! `opentelemetry_sdk` has a tracer too, and [`TracingSystem::provider`](crate::TracingSystem::provider) hands it out for code that was written against it.
//! The crate's own spans are not made by it: they keep attributes as OTLP from the moment in which they are set, in memory that goes from span to span, and
//! so cost the thread that makes them a fraction. They are spans of OpenTelemetry all the same: contexts hold them, samplers decide on them, and
//! both kinds are each other's parents.

mod draft;
mod recording;
mod state;
#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Formatter};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags};
use opentelemetry::{Context, InstrumentationScope, time};
use opentelemetry_sdk::trace::{
    IdGenerator as _, RandomIdGenerator, SamplingDecision, SamplingResult, ShouldSample as _,
};

pub(crate) use self::draft::{Draft, Parent};
pub(crate) use self::recording::Recording;
use self::recording::add_link;
use self::state::State;
use crate::ValueRef;
use crate::config::Limits;
use crate::export::decode;
use crate::export::encode::{ATTRIBUTES, unix_nanos};
use crate::processor::Pipeline;
use crate::sampling::SharedSampler;
use crate::system::Scope;

/// Makes the spans of a system.
#[derive(Debug)]
pub(crate) struct Tracer {
    pub(crate) scopes: [InstrumentationScope; Scope::ALL.len()],
    pub(crate) sampler: SharedSampler,
    pub(crate) limits: Limits,
    /// Nothing when spans are not exported.
    pub(crate) pipeline: Option<Arc<Pipeline>>,
    /// Set when the SDK's provider is shut down: no span starts any more.
    pub(crate) is_shut_down: Arc<AtomicBool>,
}

/// A tracer that is there as long as its spans. That of the process is always there, which saves to count who has it.
#[derive(Clone)]
pub(crate) enum TracerRef {
    Global(&'static Tracer),
    Local(Arc<Tracer>),
}

impl Deref for TracerRef {
    type Target = Tracer;

    #[inline]
    fn deref(&self) -> &Tracer {
        match self {
            Self::Global(tracer) => tracer,
            Self::Local(tracer) => tracer,
        }
    }
}

/// Each span has one, and its `Debug` is about the span: sampler and queue are not asked what they have to say.
impl Debug for TracerRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

/// What became of a draft.
#[derive(Debug)]
pub(crate) enum Started {
    /// No span: telemetry is suppressed here, or the provider was shut down.
    Nothing,
    /// The sampler wants nothing of it but that it is passed on.
    Dropped(SpanContext),
    Recording(Recording),
}

impl TracerRef {
    /// Starts a span below that of a context.
    #[inline]
    pub(crate) fn start(self, draft: Draft, parent: &Context) -> Started {
        if parent.is_telemetry_suppressed() || self.is_shut_down.load(Relaxed) {
            return Started::Nothing;
        }
        let mut state = draft.0;
        let around = parent.span();
        let around = around.span_context();
        let ids = RandomIdGenerator::default();
        // An id of zeros, as other code may put it into a context, is no trace to go on with.
        let (trace_id, parent_span_id, flags) = if around.is_valid() {
            let flags = around.trace_flags();
            (around.trace_id(), around.span_id(), flags)
        } else {
            (ids.new_trace_id(), SpanId::INVALID, TraceFlags::default())
        };
        let (decision, trace_state) = match self.sampler.decides(parent, trace_id) {
            Some(true) => (
                SamplingDecision::RecordAndSample,
                around.trace_state().clone(),
            ),
            Some(false) => (SamplingDecision::Drop, around.trace_state().clone()),
            None => {
                let result = self.ask_sampler(&mut state, parent, trace_id);
                (result.decision, result.trace_state)
            }
        };
        let flags = match decision {
            SamplingDecision::RecordAndSample => flags.with_sampled(true),
            SamplingDecision::RecordOnly => flags.with_sampled(false),
            SamplingDecision::Drop => TraceFlags::default(),
        };
        let context = SpanContext::new(trace_id, ids.new_span_id(), flags, false, trace_state);
        if decision == SamplingDecision::Drop {
            return Started::Dropped(context);
        }
        state.context = context;
        state.parent_span_id = parent_span_id;
        state.parent_is_remote = around.is_valid() && around.is_remote();
        self.apply_limits(&mut state);
        if let Some(pipeline) = &self.pipeline {
            pipeline.queue.count_created();
        }
        if state.start_unix_nano.is_none() {
            state.start_unix_nano = Some(unix_nanos(time::now()));
        }
        state.tracer = Some(self);
        Started::Recording(Recording::new(state))
    }

    /// Asks a sampler that wants to see what is known of the span.
    #[cold]
    fn ask_sampler(
        &self,
        state: &mut State,
        parent: &Context,
        trace_id: opentelemetry::trace::TraceId,
    ) -> SamplingResult {
        // What was written here can be read.
        let attributes =
            decode::attributes(state.attributes.as_bytes(), ATTRIBUTES).unwrap_or_default();
        let links = state.rest.as_deref().map(|rest| &*rest.described_links);
        let result = self.sampler.should_sample(
            Some(parent),
            trace_id,
            &state.name,
            &state.kind,
            &attributes,
            links.unwrap_or_default(),
        );
        for attribute in &result.attributes {
            let key = attribute.key.as_str();
            let value = ValueRef::of(&attribute.value);
            state.attributes.put(key, value, None);
        }
        result
    }

    #[inline]
    fn apply_limits(&self, state: &mut State) {
        let max_len = self.limits.attributes as usize;
        if state.attributes.len() > max_len {
            state.dropped_attributes_count = (state.attributes.len() - max_len) as u32;
            state.attributes.truncate(max_len);
        }
        if let Some(max_chars) = self.limits.attribute_value_len {
            state.attributes.cut_values(max_chars);
        }
        if let Some(rest) = &mut state.rest {
            for link in std::mem::take(&mut rest.described_links) {
                add_link(state, &self.limits, link);
            }
        }
    }
}
