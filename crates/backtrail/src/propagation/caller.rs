//! What a caller said that a span context has no place for. It lies beside the remote span context in the `Context`.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceId, TraceState};

use super::trace_state;
use super::traceparent::Traceparent;

/// The rest of a caller's W3C trace context. It counts only for spans of the same trace.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) trace_id: TraceId,
    /// The trace id is known to be random.
    pub(super) random: bool,
    /// All members as they came, without optional white space and empty members.
    pub(super) raw_trace_state: String,
    /// What the span context holds of them.
    pub(super) parsed_trace_state: TraceState,
}

impl Remote {
    pub(super) fn of<'a>(cx: &'a Context, span_context: &SpanContext) -> Option<&'a Self> {
        cx.get::<Self>()
            .filter(|remote| remote.trace_id == span_context.trace_id())
    }

    /// The `tracestate` of a span in this trace. A sampler that changed the span's state has the last word about the
    /// members that it could see; those that it could not see follow after its own.
    pub(super) fn trace_state_for(&self, current: &TraceState) -> String {
        if *current == self.parsed_trace_state {
            return self.raw_trace_state.clone();
        }
        let all = trace_state::parse(&[&self.raw_trace_state]).unwrap_or_default();
        let unseen = all
            .into_iter()
            .filter(|(key, _)| self.parsed_trace_state.get(key).is_none());
        trace_state::header(current.into_iter().chain(unseen))
    }
}

/// A decision about sampling that is more than the flag of a span context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallerDecision {
    /// `None`: the caller decided and sent no ids.
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) decision: Decision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Deny,
    Accept,
    /// Accept, and tell everybody that it was demanded.
    Debug,
    /// The callee is to decide.
    Defer,
}

impl Decision {
    pub(crate) fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }

    pub(super) fn from_sampled(sampled: bool) -> Self {
        if sampled { Self::Accept } else { Self::Deny }
    }
}

impl CallerDecision {
    /// The decision that counts for a span, or for the next root if there is no span. One without ids counts only where
    /// no caller sent ids in another format.
    pub(crate) fn of(cx: &Context, span_context: &SpanContext) -> Option<Decision> {
        let caller = cx.get::<Self>()?;
        let applies = match caller.trace_id {
            Some(trace_id) => trace_id == span_context.trace_id(),
            None => Remote::of(cx, span_context).is_none(),
        };
        applies.then_some(caller.decision)
    }
}

/// A context in which the caller's span is the parent.
///
/// What W3C trace context said about the same trace in the same request is kept: B3 and Jaeger know neither `tracestate` nor
/// the random flag.
pub(super) fn continue_trace(
    cx: &Context,
    trace_id: TraceId,
    span_id: SpanId,
    decision: Decision,
) -> Context {
    let span = cx.span();
    let earlier = span.span_context();
    let known = earlier.is_remote() && earlier.trace_id() == trace_id;
    let remote = Remote::of(cx, earlier).filter(|_| known);
    let caller = Traceparent {
        trace_id,
        span_id,
        sampled: decision.is_sampled(),
        random: remote.is_some_and(|remote| remote.random),
    };
    let trace_state = remote.map_or(TraceState::NONE, |remote| remote.parsed_trace_state.clone());
    let span_context = SpanContext::new(trace_id, span_id, caller.flags(), true, trace_state);
    let mut cx = cx.with_remote_span_context(span_context);
    if remote.is_none() {
        cx = cx.with_value(Remote {
            trace_id,
            random: false,
            raw_trace_state: String::new(),
            parsed_trace_state: TraceState::NONE,
        });
    }
    with_decision(cx, trace_id, decision)
}

/// Notes a decision, if it says more than the flag or takes back an earlier one.
pub(super) fn with_decision(cx: Context, trace_id: TraceId, decision: Decision) -> Context {
    let plain = matches!(decision, Decision::Accept | Decision::Deny);
    if plain && cx.get::<CallerDecision>().is_none() {
        return cx;
    }
    cx.with_value(CallerDecision {
        trace_id: Some(trace_id),
        decision,
    })
}
