//! B3 in one header and in several.

use backtrail::sampling::Sampler;
use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanId, TraceContextExt, TraceId};

use crate::service::{Service, headers, span_context, value};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

fn single() -> Service {
    Service::new("b3", Sampler::default())
}

fn multi() -> Service {
    Service::new("b3multi", Sampler::default())
}

fn single_header(b3: &str) -> HeaderMap {
    headers(&[("b3", b3)])
}

fn multi_headers(names_and_values: &[(&str, &str)]) -> HeaderMap {
    let mut pairs = vec![("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN)];
    pairs.extend(names_and_values);
    headers(&pairs)
}

/// A service between passes the caller's span on without one of its own.
fn passed_through(service: &Service, incoming: &HeaderMap) -> HeaderMap {
    service.inject(&service.extract(incoming))
}

#[test]
fn both_kinds_read_both_encodings() {
    let one = single_header(&format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90"));
    let several = multi_headers(&[
        ("X-B3-Sampled", "1"),
        ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
    ]);
    for service in [single(), multi()] {
        for incoming in [&one, &several] {
            let parent = span_context(&service.extract(incoming));
            assert_eq!(parent.trace_id(), TraceId::from_hex(TRACE).unwrap());
            assert_eq!(parent.span_id(), SpanId::from_hex(SPAN).unwrap());
            assert!(parent.is_sampled() && parent.is_remote());
        }
    }
}

#[test]
fn each_kind_writes_its_own_encoding() {
    let incoming = single_header(&format!("{TRACE}-{SPAN}-1"));
    let one = passed_through(&single(), &incoming);
    assert_eq!(one, incoming);
    let several = passed_through(&multi(), &incoming);
    assert_eq!(several, multi_headers(&[("X-B3-Sampled", "1")]));
}

#[test]
fn the_single_header_comes_first() {
    let mut incoming = multi_headers(&[("X-B3-Sampled", "1")]);
    let other = "00f198ee56343ba864fe8b2a57d3eff7";
    incoming.extend(single_header(&format!("{other}-{SPAN}-0")));
    let parent = span_context(&multi().extract(&incoming));
    assert_eq!(parent.trace_id(), TraceId::from_hex(other).unwrap());
    assert!(!parent.is_sampled());
}

#[test]
fn the_other_headers_count_if_the_single_one_is_not_valid() {
    let mut incoming = multi_headers(&[]);
    incoming.extend(single_header("garbage"));
    assert!(single().extract(&incoming).has_active_span());
}

#[test]
fn ids_of_64_bits_are_padded() {
    let short = &TRACE[16..];
    let padded = format!("{}{short}", "0".repeat(16));
    let incoming = single_header(&format!("{short}-{SPAN}-0"));
    let outgoing = passed_through(&single(), &incoming);
    assert_eq!(value(&outgoing, "b3"), Some(&*format!("{padded}-{SPAN}-0")));
}

#[test]
fn what_is_not_valid_starts_a_new_trace() {
    for b3 in [
        "",
        "-",
        "2",
        "D",
        "dd",
        TRACE,
        &format!("{TRACE}-"),
        &format!("{TRACE}-{SPAN}-"),
        &format!("{TRACE}-{SPAN}-2"),
        &format!("{TRACE}-{SPAN}-1-"),
        &format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b9"),
        &format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90-"),
        &format!("{}-{SPAN}-1", "0".repeat(32)),
        &format!("{TRACE}-{}-1", "0".repeat(16)),
        &format!("{}-{SPAN}-1", &TRACE[1..]),
        &format!("{TRACE}-{}-1", &SPAN[1..]),
        &format!("{}g-{SPAN}-1", &TRACE[1..]),
    ] {
        assert!(
            !single().extract(&single_header(b3)).has_active_span(),
            "{b3}"
        );
    }
    for (trace, span) in [(TRACE, ""), ("", SPAN), (TRACE, "x"), ("0", SPAN)] {
        let incoming = headers(&[("X-B3-TraceId", trace), ("X-B3-SpanId", span)]);
        assert!(!multi().extract(&incoming).has_active_span());
    }
    let undecided = multi_headers(&[("X-B3-Sampled", "perhaps")]);
    assert!(!multi().extract(&undecided).has_active_span());
    let half = headers(&[("X-B3-TraceId", TRACE)]);
    assert!(!multi().extract(&half).has_active_span());
}

#[test]
fn old_words_for_the_decision_are_read() {
    for (word, sampled) in [("true", true), ("True", true), ("false", false)] {
        let incoming = multi_headers(&[("X-B3-Sampled", word)]);
        assert_eq!(
            span_context(&multi().extract(&incoming)).is_sampled(),
            sampled
        );
    }
}

#[test]
fn debug_is_sampled_and_passed_on_as_debug() {
    let one = single_header(&format!("{TRACE}-{SPAN}-d"));
    let several = multi_headers(&[("X-B3-Flags", "1"), ("X-B3-Sampled", "0")]);
    for incoming in [&one, &several] {
        assert!(span_context(&single().extract(incoming)).is_sampled());
        let outgoing = single().call(incoming);
        assert!(value(&outgoing, "b3").unwrap().ends_with("-d"));
        let outgoing = multi().call(incoming);
        assert_eq!(value(&outgoing, "x-b3-flags"), Some("1"));
        assert_eq!(value(&outgoing, "x-b3-sampled"), None);
    }
}

#[test]
fn debug_of_one_trace_is_not_debug_of_another() {
    let service = single();
    let cx = service.extract(&single_header(&format!("{TRACE}-{SPAN}-d")));
    let root = service.span(&cx.with_remote_span_context(opentelemetry::trace::SpanContext::NONE));
    assert!(value(&service.inject(&root), "b3").unwrap().ends_with("-1"));
}

#[test]
fn no_decision_is_left_to_the_root_sampler_and_its_decision_is_passed_on() {
    let undecided = format!("{TRACE}-{SPAN}");
    let incoming = single_header(&undecided);
    for (root, end) in [(Sampler::AlwaysOn, "-1"), (Sampler::AlwaysOff, "-0")] {
        let sampler = backtrail::sampling::ParentBased::new(root);
        let service = Service::new("b3", sampler);
        let outgoing = service.call(&incoming);
        let b3 = value(&outgoing, "b3").unwrap();
        assert!(b3.starts_with(TRACE) && b3.ends_with(end), "{b3}");
        let outgoing = passed_through(&service, &incoming);
        assert_eq!(value(&outgoing, "b3"), Some(&*undecided));
    }
    let outgoing = passed_through(&multi(), &incoming);
    assert_eq!(outgoing, multi_headers(&[]));
}

#[test]
fn a_decision_without_ids_counts_for_the_root_and_is_passed_on() {
    for (state, end) in [("0", "-0"), ("1", "-1"), ("d", "-d")] {
        let incoming = single_header(state);
        let outgoing = single().call(&incoming);
        assert!(value(&outgoing, "b3").unwrap().ends_with(end), "{state}");
        assert_eq!(passed_through(&single(), &incoming), incoming);
    }
    for incoming in [
        headers(&[("x-b3-sampled", "0")]),
        headers(&[("x-b3-sampled", "1")]),
        headers(&[("x-b3-flags", "1")]),
    ] {
        assert_eq!(passed_through(&multi(), &incoming), incoming);
    }
}

#[test]
fn nothing_is_written_without_a_span_and_a_decision() {
    assert!(single().inject(&Context::new()).is_empty());
    assert!(multi().inject(&Context::new()).is_empty());
}
