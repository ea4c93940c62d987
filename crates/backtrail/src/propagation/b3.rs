//! The headers of Zipkin.

use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceId};

use super::caller::{CallerDecision, Decision, continue_trace};
use super::hex;

const SINGLE: &str = "b3";
const TRACE_ID: &str = "x-b3-traceid";
const SPAN_ID: &str = "x-b3-spanid";
const SAMPLED: &str = "x-b3-sampled";
const FLAGS: &str = "x-b3-flags";
static SINGLE_FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [SINGLE.into()]);
static MULTI_FIELDS: LazyLock<[String; 4]> =
    LazyLock::new(|| [TRACE_ID, SPAN_ID, SAMPLED, FLAGS].map(String::from));

/// B3, as in openzipkin/b3-propagation, in one header or in several.
///
/// **Reading.** Both kinds read both encodings: the single header first, and the others if it is not there or not valid. Trace
/// ids of 64 bits are padded with zeros. Parent ids are checked in the single header and not used.
///
/// Decisions that a `SpanContext` can't hold are kept in the context: *debug* counts as sampled and is passed on as debug by
/// [`B3`] and [`Jaeger`](super::Jaeger). No decision beside ids means that the callee decides: a parent-based
/// [`Sampler`](crate::sampling::Sampler) asks its root sampler. A decision without ids counts for the next root, likewise.
///
/// **Writing.** Ids of 128 bits. Without a span, a decision that came without ids is passed on.
#[derive(Clone, Copy, Debug)]
pub struct B3 {
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Single,
    Multi,
}

impl B3 {
    /// Writes `b3`.
    pub const fn single() -> Self {
        let encoding = Encoding::Single;
        Self { encoding }
    }

    /// Writes `x-b3-traceid`, `x-b3-spanid`, and `x-b3-sampled` or, for debug, `x-b3-flags`.
    pub const fn multi() -> Self {
        let encoding = Encoding::Multi;
        Self { encoding }
    }
}

impl TextMapPropagator for B3 {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        let Some(decision) = outgoing_decision(cx, span_context) else {
            return;
        };
        let ids = span_context.is_valid().then(|| {
            let (mut trace_id, mut span_id) = (String::new(), String::new());
            let number = u128::from_be_bytes(span_context.trace_id().to_bytes());
            hex::push(&mut trace_id, number, 32);
            let number = u64::from_be_bytes(span_context.span_id().to_bytes());
            hex::push(&mut span_id, number.into(), 16);
            (trace_id, span_id)
        });
        match self.encoding {
            Encoding::Single => write_single(ids, decision, injector),
            Encoding::Multi => write_multi(ids, decision, injector),
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let single = extractor.get(SINGLE).and_then(read_single);
        let Some(caller) = single.or_else(|| read_multi(extractor)) else {
            return cx.clone();
        };
        match caller.ids {
            Some((trace_id, span_id)) => continue_trace(cx, trace_id, span_id, caller.decision),
            None => cx.with_value(CallerDecision {
                trace_id: None,
                decision: caller.decision,
            }),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        match self.encoding {
            Encoding::Single => FieldIter::new(&*SINGLE_FIELDS),
            Encoding::Multi => FieldIter::new(&*MULTI_FIELDS),
        }
    }
}

struct Caller {
    ids: Option<(TraceId, SpanId)>,
    decision: Decision,
}

fn read_single(value: &str) -> Option<Caller> {
    if let Some(decision) = decision(value) {
        return Some(Caller {
            ids: None,
            decision,
        });
    }
    let mut parts = value.split('-');
    let ids = (trace_id(parts.next()?)?, span_id(parts.next()?)?);
    let decision = parts.next().map_or(Some(Decision::Defer), decision)?;
    if let Some(parent) = parts.next() {
        span_id(parent)?;
    }
    parts.next().is_none().then_some(Caller {
        ids: Some(ids),
        decision,
    })
}

fn decision(value: &str) -> Option<Decision> {
    match value {
        "0" => Some(Decision::Deny),
        "1" => Some(Decision::Accept),
        "d" => Some(Decision::Debug),
        _ => None,
    }
}

fn read_multi(extractor: &dyn Extractor) -> Option<Caller> {
    let debug = extractor.get(FLAGS) == Some("1");
    let sampled = match extractor.get(SAMPLED) {
        _ if debug => Some(Decision::Debug),
        None => None,
        // Words are of old senders.
        Some(word) if word.eq_ignore_ascii_case("true") => Some(Decision::Accept),
        Some(word) if word.eq_ignore_ascii_case("false") => Some(Decision::Deny),
        Some("1") => Some(Decision::Accept),
        Some("0") => Some(Decision::Deny),
        Some(_) => return None,
    };
    match (extractor.get(TRACE_ID), extractor.get(SPAN_ID)) {
        (Some(trace), Some(span)) => Some(Caller {
            ids: Some((trace_id(trace)?, span_id(span)?)),
            decision: sampled.unwrap_or(Decision::Defer),
        }),
        (None, None) => sampled.map(|decision| Caller {
            ids: None,
            decision,
        }),
        _ => None,
    }
}

fn trace_id(digits: &str) -> Option<TraceId> {
    let id = match digits.len() {
        16 | 32 => TraceId::from(hex::any_case(digits.as_bytes())?),
        _ => TraceId::INVALID,
    };
    (id != TraceId::INVALID).then_some(id)
}

fn span_id(digits: &str) -> Option<SpanId> {
    let id = match digits.len() {
        16 => hex::any_case(digits.as_bytes())?.try_into().ok()?,
        _ => 0,
    };
    (id != 0).then(|| SpanId::from(id))
}

/// `None` if there is nothing to say.
fn outgoing_decision(cx: &Context, span_context: &SpanContext) -> Option<Decision> {
    let caller = CallerDecision::of(cx, span_context);
    if !span_context.is_valid() {
        return caller.filter(|decision| *decision != Decision::Defer);
    }
    let decided = Decision::from_sampled(span_context.is_sampled());
    Some(match caller {
        Some(Decision::Debug) => Decision::Debug,
        // The caller's own span is passed on: nobody has decided yet.
        Some(Decision::Defer) if span_context.is_remote() => Decision::Defer,
        _ => decided,
    })
}

fn write_single(ids: Option<(String, String)>, decision: Decision, injector: &mut dyn Injector) {
    let state = match decision {
        Decision::Deny => "0",
        Decision::Accept => "1",
        Decision::Debug => "d",
        Decision::Defer => "",
    };
    let value = match ids {
        None => state.to_owned(),
        Some((trace_id, span_id)) if state.is_empty() => format!("{trace_id}-{span_id}"),
        Some((trace_id, span_id)) => format!("{trace_id}-{span_id}-{state}"),
    };
    injector.set(SINGLE, value);
}

fn write_multi(ids: Option<(String, String)>, decision: Decision, injector: &mut dyn Injector) {
    if let Some((trace_id, span_id)) = ids {
        injector.set(TRACE_ID, trace_id);
        injector.set(SPAN_ID, span_id);
    }
    match decision {
        Decision::Deny => injector.set(SAMPLED, "0".to_owned()),
        Decision::Accept => injector.set(SAMPLED, "1".to_owned()),
        Decision::Debug => injector.set(FLAGS, "1".to_owned()),
        Decision::Defer => {}
    }
}
