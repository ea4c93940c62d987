//! A service with a server span and a client span around each call that it makes.

use backtrail::propagation::{HeaderExtractor, HeaderInjector, Propagator};
use backtrail::sampling::Sampler;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

pub(crate) struct Service {
    propagator: Propagator,
    provider: SdkTracerProvider,
}

impl Service {
    pub(crate) fn new(propagators: &str, sampler: impl Into<Sampler>) -> Self {
        let (propagator, warnings) = Propagator::from_names(propagators);
        assert_eq!(warnings, [""; 0]);
        Self {
            propagator,
            provider: SdkTracerProvider::builder()
                .with_sampler(sampler.into())
                .build(),
        }
    }

    /// The headers of one call that the service makes while it serves a request.
    pub(crate) fn call(&self, incoming: &HeaderMap) -> HeaderMap {
        self.calls(incoming, 1).remove(0)
    }

    pub(crate) fn calls(&self, incoming: &HeaderMap, count: usize) -> Vec<HeaderMap> {
        let cx = self.span(&self.extract(incoming));
        (0..count).map(|_| self.inject(&self.span(&cx))).collect()
    }

    pub(crate) fn extract(&self, incoming: &HeaderMap) -> Context {
        self.propagator
            .extract(&Context::new(), &HeaderExtractor(incoming))
    }

    pub(crate) fn span(&self, cx: &Context) -> Context {
        cx.with_span(self.provider.tracer("test").start_with_context("call", cx))
    }

    pub(crate) fn inject(&self, cx: &Context) -> HeaderMap {
        let mut outgoing = HeaderMap::new();
        self.propagator
            .inject(cx, &mut HeaderInjector(&mut outgoing));
        outgoing
    }
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).expect("a name"),
            HeaderValue::from_str(value).expect("a value"),
        );
    }
    headers
}

/// The one value of a header.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().expect("ASCII"));
    assert_eq!(values.next(), None, "{name} is there twice");
    value
}

pub(crate) fn span_context(cx: &Context) -> SpanContext {
    cx.span().span_context().clone()
}
