//! Several propagators as one, chosen by name.

use std::collections::HashMap;

use backtrail::propagation::Propagator;
use backtrail::sampling::Sampler;
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TraceId};

use crate::service::{Service, headers, span_context, value};

const W3C: (&str, &str) = (
    "traceparent",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
);

fn fields(names: &str) -> Vec<String> {
    let (propagator, _) = Propagator::from_names(names);
    propagator.fields().map(str::to_owned).collect()
}

fn warnings(names: &str) -> Vec<String> {
    Propagator::from_names(names).1
}

#[test]
fn the_default_is_trace_context_and_baggage() {
    let default: Vec<String> = Propagator::default().fields().map(str::to_owned).collect();
    assert_eq!(default, ["traceparent", "tracestate", "baggage"]);
    for names in ["", " ", ",", "tracecontext,baggage", "xray"] {
        assert_eq!(fields(names), default, "{names:?}");
    }
    assert!(warnings("").is_empty());
}

#[test]
fn names_choose_propagators_in_order_and_count_once() {
    assert_eq!(fields("b3"), ["b3"]);
    assert_eq!(
        fields(" B3Multi , jaeger,b3multi"),
        [
            "x-b3-traceid",
            "x-b3-spanid",
            "x-b3-sampled",
            "x-b3-flags",
            "uber-trace-id"
        ]
    );
    assert!(warnings(" B3Multi , jaeger,b3multi").is_empty());
}

#[test]
fn an_unknown_name_is_reported_and_ignored() {
    let (_, warnings) = Propagator::from_names("xray,b3,ottrace");
    assert_eq!(fields("xray,b3,ottrace"), ["b3"]);
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].contains("\"xray\""), "{}", warnings[0]);
    assert!(warnings[1].contains("\"ottrace\""), "{}", warnings[1]);
}

#[test]
fn none_is_no_propagator() {
    assert_eq!(fields("none"), [""; 0]);
    assert!(warnings("none").is_empty());
    assert_eq!(fields("none,b3"), ["b3"]);
    assert_eq!(warnings("none,b3").len(), 1);

    let service = Service::new("none", Sampler::AlwaysOn);
    assert!(service.call(&headers(&[W3C])).is_empty());
}

#[test]
fn a_later_parent_wins() {
    let both = headers(&[W3C, ("uber-trace-id", "a1b:2c:0:1")]);
    for (names, trace_id) in [
        ("tracecontext,jaeger", 0xa1b),
        (
            "jaeger,tracecontext",
            0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c,
        ),
    ] {
        let cx = Service::new(names, Sampler::AlwaysOn).extract(&both);
        assert_eq!(span_context(&cx).trace_id(), TraceId::from(trace_id));
    }
}

#[test]
fn a_later_one_that_finds_nothing_valid_changes_nothing() {
    let service = Service::new("tracecontext,baggage,b3,jaeger", Sampler::AlwaysOn);
    let incoming = headers(&[
        W3C,
        ("tracestate", "a=1"),
        ("baggage", "user=ann"),
        ("b3", "garbage"),
        ("uber-trace-id", "garbage"),
    ]);
    let outgoing = service.inject(&service.extract(&incoming));
    for name in ["traceparent", "tracestate", "baggage"] {
        assert_eq!(value(&outgoing, name), value(&incoming, name));
    }
}

#[test]
fn the_rest_of_trace_context_stays_if_a_later_one_finds_the_same_trace() {
    let service = Service::new("tracecontext,b3", Sampler::AlwaysOn);
    let b3 = "0af7651916cd43dd8448eb211c80319c-0000000000000007-1";
    let incoming = headers(&[W3C, ("tracestate", "a=1,b@c@d=2"), ("b3", b3)]);
    let outgoing = service.inject(&service.extract(&incoming));
    assert_eq!(
        value(&outgoing, "traceparent"),
        Some("00-0af7651916cd43dd8448eb211c80319c-0000000000000007-03")
    );
    assert_eq!(value(&outgoing, "tracestate"), Some("a=1,b@c@d=2"));
}

#[test]
fn nothing_of_trace_context_stays_if_a_later_one_finds_another_trace() {
    let service = Service::new("tracecontext,jaeger", Sampler::AlwaysOn);
    let incoming = headers(&[W3C, ("tracestate", "a=1"), ("uber-trace-id", "a1b:2c:0:1")]);
    let outgoing = service.call(&incoming);
    let traceparent = value(&outgoing, "traceparent").unwrap();
    assert!(traceparent.starts_with("00-00000000000000000000000000000a1b-"));
    assert!(
        traceparent.ends_with("-01"),
        "the id is not known to be random"
    );
    assert_eq!(value(&outgoing, "tracestate"), None);
}

#[test]
fn a_flag_of_trace_context_takes_back_that_b3_left_the_decision_open() {
    let sampler = backtrail::sampling::ParentBased::new(Sampler::AlwaysOff);
    let service = Service::new("b3,tracecontext", sampler);
    let b3 = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    let cx = service.extract(&headers(&[("b3", b3), W3C]));
    assert!(span_context(&service.span(&cx)).is_sampled());
}

#[test]
fn a_decision_without_ids_does_not_overrule_a_parent() {
    let service = Service::new("tracecontext,b3", Sampler::default());
    let dropped = W3C.1.replace("-03", "-00");
    let outgoing = service.call(&headers(&[("traceparent", &dropped), ("b3", "d")]));
    assert!(value(&outgoing, "traceparent").unwrap().ends_with("-00"));
    assert!(value(&outgoing, "b3").unwrap().ends_with("-0"));
}

#[test]
fn baggage_of_several_formats_is_added_up() {
    let service = Service::new("baggage,jaeger", Sampler::AlwaysOn);
    let cx = service.extract(&headers(&[
        ("baggage", "a=1,b=1"),
        ("uber-trace-id", "a1b:2c:0:1"),
        ("uberctx-b", "2"),
    ]));
    assert_eq!(cx.baggage().get("a").unwrap().as_str(), "1");
    assert_eq!(cx.baggage().get("b").unwrap().as_str(), "2");
}

#[test]
fn it_is_a_propagator_of_opentelemetry() {
    let propagator: Box<dyn TextMapPropagator> = Box::new(Propagator::default());
    let carrier = HashMap::from([(W3C.0.to_owned(), W3C.1.to_owned())]);
    let cx = propagator.extract_with_context(&Context::new(), &carrier);
    assert!(cx.has_active_span());
    let mut outgoing = HashMap::new();
    propagator.inject_context(&cx, &mut outgoing);
    assert_eq!(outgoing, carrier);
    assert_eq!(propagator.fields().count(), 3);
}
