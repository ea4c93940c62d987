//! What must hold of every propagator, whatever the headers are.

use backtrail::propagation::{HeaderExtractor, HeaderInjector, Propagator};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

const NAMES: [&str; 11] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "uberctx-user",
    "uberctx-other",
];
const ALL: &str = "tracecontext,baggage,b3,b3multi,jaeger";
const MAX_VALUE_LEN_BYTES: usize = 8192;

/// Reads headers, one a line; the first byte of a line chooses the name. What is written from the context is within its limit,
/// and is read again as the same parent.
pub fn propagated(data: &[u8]) {
    let incoming = headers(data);
    for formats in ALL.split(',').chain([ALL]) {
        let (propagator, _) = Propagator::from_names(formats);
        let cx = propagator.extract(&Context::new(), &HeaderExtractor(&incoming));
        let mut outgoing = HeaderMap::new();
        propagator.inject(&cx, &mut HeaderInjector(&mut outgoing));
        for (name, value) in &outgoing {
            assert!(value.len() <= MAX_VALUE_LEN_BYTES, "{name}");
            assert!(value.to_str().is_ok(), "{name}: {value:?}");
            assert_eq!(outgoing.get_all(name).iter().count(), 1, "{name}");
        }
        let again = propagator.extract(&Context::new(), &HeaderExtractor(&outgoing));
        assert_eq!(parent(&cx), parent(&again), "{formats}");
    }
}

fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Some((choice, value)) = line.split_first()
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            let name = NAMES[usize::from(*choice) % NAMES.len()];
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

fn parent(cx: &Context) -> SpanContext {
    cx.span().span_context().clone()
}
