//! The headers of Jaeger's old clients.

use std::borrow::Cow;
use std::sync::LazyLock;

use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, BaggageMetadata};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanId, TraceContextExt, TraceId};

use super::baggage::{self, MAX_LEN_BYTES};
use super::caller::{CallerDecision, Decision, continue_trace};
use super::{hex, percent};

const TRACE: &str = "uber-trace-id";
const BAGGAGE_PREFIX: &str = "uberctx-";
const SAMPLED: u128 = 1;
const DEBUG: u128 = 2;
static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [TRACE.into()]);

/// The headers `uber-trace-id` and `uberctx-…`, as in the propagation format of Jaeger's client libraries.
///
/// **Reading.** Ids may lack leading zeros, colons may be escaped (`%3A`), hexadecimal digits may be in either case. The parent
/// id is checked and not used. Debug counts as sampled and is passed on as debug by [`Jaeger`] and [`B3`](super::B3). Each
/// `uberctx-NAME` becomes baggage, and is looked for only where `uber-trace-id` is. A value with half an escape is skipped alone.
///
/// **Writing.** Ids of 128 and 64 bits with all their zeros, parent 0, flags 0, 1 or 3. Baggage goes out as `uberctx-NAME`
/// headers, without properties, as many as fit in 8192 bytes. HTTP makes names lower case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jaeger;

impl TextMapPropagator for Jaeger {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        if span_context.is_valid() {
            let mut value = String::with_capacity(53);
            let trace_id = u128::from_be_bytes(span_context.trace_id().to_bytes());
            hex::push(&mut value, trace_id, 32);
            value.push(':');
            let span_id = u64::from_be_bytes(span_context.span_id().to_bytes());
            hex::push(&mut value, span_id.into(), 16);
            value.push_str(match CallerDecision::of(cx, span_context) {
                Some(Decision::Debug) => ":0:3",
                _ if span_context.is_sampled() => ":0:1",
                _ => ":0:0",
            });
            injector.set(TRACE, value);
        }
        write_baggage(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let Some(value) = extractor.get(TRACE) else {
            return cx.clone();
        };
        let cx = baggage::added(cx, read_baggage(extractor));
        match read(value) {
            Some((trace_id, span_id, decision)) => continue_trace(&cx, trace_id, span_id, decision),
            None => cx,
        }
    }

    /// Without the names of baggage, which nobody knows beforehand.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}

fn read(value: &str) -> Option<(TraceId, SpanId, Decision)> {
    let value = if value.contains('%') {
        Cow::Owned(value.replace("%3A", ":").replace("%3a", ":"))
    } else {
        Cow::Borrowed(value)
    };
    let mut parts = value.split(':').map(str::as_bytes);
    let trace_id = TraceId::from(hex::any_case(parts.next()?)?);
    let span_id = SpanId::from(u64::try_from(hex::any_case(parts.next()?)?).ok()?);
    let _parent = u64::try_from(hex::any_case(parts.next()?)?).ok()?;
    let flags = hex::any_case(parts.next().filter(|digits| digits.len() <= 2)?)?;
    let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    if !valid || parts.next().is_some() {
        return None;
    }
    let decision = if flags & DEBUG != 0 {
        Decision::Debug
    } else {
        Decision::from_sampled(flags & SAMPLED != 0)
    };
    Some((trace_id, span_id, decision))
}

fn read_baggage(
    extractor: &dyn Extractor,
) -> impl Iterator<
    Item = (
        opentelemetry::Key,
        (opentelemetry::StringValue, BaggageMetadata),
    ),
> {
    extractor.keys().into_iter().filter_map(|header| {
        let (prefix, name) = header.split_at_checked(BAGGAGE_PREFIX.len())?;
        if !prefix.eq_ignore_ascii_case(BAGGAGE_PREFIX) || !baggage::is_token(name) {
            return None;
        }
        // Go and Java write a space as `+`, and no client leaves a plus as it is.
        let value = extractor.get(header)?.replace('+', " ");
        let value = percent::decode(&value)?.into_owned();
        let value = (value.into(), BaggageMetadata::default());
        Some((name.to_owned().into(), value))
    })
}

fn write_baggage(cx: &Context, injector: &mut dyn Injector) {
    let mut entries: Vec<_> = cx.baggage().iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    let mut left_bytes = MAX_LEN_BYTES;
    for (key, (value, _)) in entries {
        let name = format!("{BAGGAGE_PREFIX}{key}");
        let mut encoded = String::new();
        percent::encode(&mut encoded, value.as_str(), |byte| {
            byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
        });
        if let Some(left) = left_bytes.checked_sub(name.len() + encoded.len()) {
            left_bytes = left;
            injector.set(&name, encoded);
        }
    }
}
