//! W3C trace context beyond the public suite.

use std::collections::HashMap;

use backtrail::propagation::TraceContext;
use backtrail::sampling::Sampler;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::service::{Service, headers, span_context, value};

const CALLER: (&str, &str) = (
    "traceparent",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
);

#[test]
fn a_trace_that_begins_here_has_the_random_flag() {
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        let sampled = matches!(sampler, Sampler::AlwaysOn);
        let outgoing = Service::new("tracecontext", sampler).call(&headers(&[]));
        let flags = if sampled { "-03" } else { "-02" };
        assert!(value(&outgoing, "traceparent").unwrap().ends_with(flags));
    }
}

#[test]
fn a_root_inside_of_a_request_is_random_whatever_the_caller_said() {
    let service = Service::new("tracecontext", Sampler::AlwaysOn);
    let cx = service.extract(&headers(&[CALLER, ("tracestate", "foo=1")]));
    let root = service.span(&cx.with_remote_span_context(SpanContext::NONE));
    let outgoing = service.inject(&root);
    assert!(value(&outgoing, "traceparent").unwrap().ends_with("-03"));
    assert_eq!(value(&outgoing, "tracestate"), None);
}

#[test]
fn unknown_flags_are_cleared() {
    let service = Service::new("tracecontext", Sampler::AlwaysOn);
    let caller = CALLER.1.replace("-01", "-fd");
    let cx = service.extract(&headers(&[("traceparent", &caller)]));
    assert_eq!(span_context(&cx).trace_flags(), TraceFlags::SAMPLED);
    assert_eq!(value(&service.inject(&cx), "traceparent"), Some(CALLER.1));
}

#[test]
fn of_a_higher_version_only_the_sampled_flag_is_understood() {
    let service = Service::new("tracecontext", Sampler::AlwaysOn);
    let caller = CALLER.1.replace("00-", "01-").replace("-01", "-03");
    let cx = service.extract(&headers(&[("traceparent", &caller)]));
    assert_eq!(value(&service.inject(&cx), "traceparent"), Some(CALLER.1));
}

#[test]
fn upper_case_is_not_valid() {
    let service = Service::new("tracecontext", Sampler::AlwaysOn);
    for caller in [
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A",
        "0A-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        let cx = service.extract(&headers(&[("traceparent", caller)]));
        assert!(!cx.has_active_span(), "{caller}");
    }
}

#[test]
fn a_traceparent_that_is_not_ascii_is_not_valid() {
    let caller = format!("{}é", &CALLER.1[..53]);
    let carrier = HashMap::from([("traceparent".to_owned(), caller)]);
    let cx = TraceContext.extract_with_context(&Context::new(), &carrier);
    assert!(!cx.has_active_span());
}

#[test]
fn a_bad_traceparent_leaves_the_context_as_it_was() {
    let local = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let cx = Context::new().with_remote_span_context(local.clone());
    let carrier = HashMap::from([("traceparent".to_owned(), "00-1-2-3".to_owned())]);
    let extracted = TraceContext.extract_with_context(&cx, &carrier);
    assert_eq!(span_context(&extracted), local);
}

/// Puts `ours=1` first.
#[derive(Clone, Debug)]
struct Marks;

impl ShouldSample for Marks {
    fn should_sample(
        &self,
        cx: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let parent = span_context(cx.expect("the SDK gives one"));
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: parent.trace_state().insert("ours", "1").expect("valid"),
        }
    }
}

#[test]
fn a_sampler_may_change_the_trace_state_and_loses_nothing_of_others() {
    let service = Service::new("tracecontext", Sampler::Custom(Box::new(Marks)));
    for (incoming, outgoing) in [
        ("a=1,b=2", "ours=1,a=1,b=2"),
        ("a=1,ours=0", "ours=1,a=1"),
        ("a=1,foo@bar@baz=2,c=3", "ours=1,a=1,c=3,foo@bar@baz=2"),
        ("", "ours=1"),
    ] {
        let sent = service.call(&headers(&[CALLER, ("tracestate", incoming)]));
        assert_eq!(value(&sent, "tracestate"), Some(outgoing));
    }
    let root = service.call(&headers(&[]));
    assert_eq!(value(&root, "tracestate"), Some("ours=1"));
}

#[test]
fn a_sampler_of_ours_keeps_the_trace_state_in_the_span_context() {
    for sampler in [Sampler::default(), Sampler::AlwaysOff, Sampler::AlwaysOn] {
        let service = Service::new("tracecontext", sampler);
        let cx = service.extract(&headers(&[CALLER, ("tracestate", "a=1,b=2")]));
        let span = span_context(&service.span(&cx));
        assert_eq!(span.trace_state().header(), "a=1,b=2");
    }
}

#[test]
fn opentelemetrys_own_propagator_reads_ours_and_ours_reads_its_headers() {
    let span = SpanContext::new(
        TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c),
        SpanId::from(0xb7ad_6b71_6920_3331),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("a", "1"), ("b", "x y")]).unwrap(),
    );
    let cx = Context::new().with_remote_span_context(span.clone());
    let other = TraceContextPropagator::new();

    let mut theirs = HashMap::new();
    other.inject_context(&cx, &mut theirs);
    let read = TraceContext.extract_with_context(&Context::new(), &theirs);
    assert_eq!(span_context(&read), span);

    let mut ours = HashMap::new();
    TraceContext.inject_context(&cx, &mut ours);
    assert_eq!(ours.get("traceparent"), theirs.get("traceparent"));
    let read = other.extract_with_context(&Context::new(), &ours);
    assert_eq!(span_context(&read), span);
    assert_eq!(Extractor::get(&ours, "tracestate"), Some("a=1,b=x y"));
}

#[test]
fn a_second_header_that_is_not_ascii_is_a_second_header() {
    let mut headers = http::HeaderMap::new();
    let no_text = http::HeaderValue::from_bytes(b"\xff").unwrap();
    headers.append(CALLER.0, http::HeaderValue::from_static(CALLER.1));
    headers.append("tracestate", http::HeaderValue::from_static("foo=1"));
    headers.append("tracestate", no_text.clone());
    let carrier = backtrail::propagation::HeaderExtractor(&headers);
    let cx = TraceContext.extract_with_context(&Context::new(), &carrier);
    assert!(cx.has_active_span());
    assert_eq!(span_context(&cx).trace_state().header(), "");

    headers.append(CALLER.0, no_text);
    let carrier = backtrail::propagation::HeaderExtractor(&headers);
    let cx = TraceContext.extract_with_context(&Context::new(), &carrier);
    assert!(!cx.has_active_span());
}
