//! W3C trace context.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::caller::{CallerDecision, Decision, Remote, with_decision};
use super::trace_state;
use super::traceparent::{RANDOM, Traceparent};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
static FIELDS: LazyLock<[String; 2]> = LazyLock::new(|| [TRACEPARENT.into(), TRACESTATE.into()]);

/// The headers `traceparent` and `tracestate`, as in W3C Trace Context level 2, strict.
///
/// **Reading.** A `traceparent` that is not valid, or that is there twice, is ignored together with `tracestate`; then the
/// trace starts anew. A `tracestate` that is not valid is ignored alone: one bad member, or more than 32 members, discards all
/// of it. Several `tracestate` headers are one list. A key that stands there twice is passed on as it came: section 3.5 leaves
/// the choice. The `SpanContext` holds those members whose keys OpenTelemetry's `TraceState` allows (level 1); all are passed on.
///
/// **Writing.** Always version 00 and the flags *sampled* and *random*. The random flag is passed on as it came in; it is set if
/// the trace began in this process, because the SDK makes its ids at random. (A remote span context that other code put into
/// the context is passed on with the flag that it has.) `tracestate` is written as it came in, without optional white space,
/// unless a sampler changed it. It has at most 8192 bytes: beyond that, members of more than 128 bytes are dropped, the last
/// one first. An empty `tracestate` is not written.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceContext;

impl TextMapPropagator for TraceContext {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if !span_context.is_valid() {
            return;
        }
        let remote = Remote::of(cx, span_context);
        let random = match remote {
            Some(remote) => remote.random,
            None if span_context.is_remote() => span_context.trace_flags().to_u8() & RANDOM != 0,
            None => true,
        };
        let traceparent = Traceparent {
            trace_id: span_context.trace_id(),
            span_id: span_context.span_id(),
            sampled: span_context.is_sampled(),
            random,
        };
        injector.set(TRACEPARENT, traceparent.header());

        let trace_state = match remote {
            Some(remote) => remote.trace_state_for(span_context.trace_state()),
            None => trace_state::header(span_context.trace_state()),
        };
        if !trace_state.is_empty() {
            injector.set(TRACESTATE, trace_state);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        read(cx, extractor).unwrap_or_else(|| cx.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}

fn read(cx: &Context, extractor: &dyn Extractor) -> Option<Context> {
    // Most requests without a trace end here, before anything is allocated.
    extractor.get(TRACEPARENT)?;
    let [traceparent] = extractor.get_all(TRACEPARENT)?[..] else {
        return None;
    };
    let caller = Traceparent::parse(traceparent)?;
    let members = extractor
        .get(TRACESTATE)
        .and_then(|_| extractor.get_all(TRACESTATE))
        .and_then(|headers| trace_state::parse(&headers))
        .unwrap_or_default();
    let parsed_trace_state = trace_state::for_samplers(&members);
    let cx = cx
        .with_remote_span_context(SpanContext::new(
            caller.trace_id,
            caller.span_id,
            caller.flags(),
            true,
            parsed_trace_state.clone(),
        ))
        .with_value(Remote {
            trace_id: caller.trace_id,
            random: caller.random,
            raw_trace_state: trace_state::join(members),
            parsed_trace_state,
        });
    let deferred = |caller: &CallerDecision| caller.decision == Decision::Defer;
    if cx.get().is_some_and(deferred) {
        let decision = Decision::from_sampled(caller.sampled);
        return Some(with_decision(cx, caller.trace_id, decision));
    }
    Some(cx)
}
