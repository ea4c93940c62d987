//! The headers of Jaeger's old clients.

use backtrail::sampling::Sampler;
use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::baggage::{BaggageExt, KeyValueMetadata};
use opentelemetry::trace::{SpanId, TraceContextExt, TraceId};

use crate::service::{Service, headers, span_context, value};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

fn service() -> Service {
    Service::new("jaeger", Sampler::default())
}

fn trace_header(value: &str) -> HeaderMap {
    headers(&[("uber-trace-id", value)])
}

#[test]
fn the_header_comes_back_as_it_was() {
    for flags in [0, 1, 3] {
        let incoming = trace_header(&format!("{TRACE}:{SPAN}:0:{flags}"));
        let outgoing = service().inject(&service().extract(&incoming));
        assert_eq!(outgoing, incoming);
    }
}

#[test]
fn leading_zeros_may_be_missing_and_colons_escaped() {
    for header in [
        "a1b:2c:0:1",
        "A1B:2C:ff:01",
        "a1b%3A2c%3a0%3A1",
        "00000000000000a1b:000000000000002c:0:1",
    ] {
        let parent = span_context(&service().extract(&trace_header(header)));
        assert_eq!(parent.trace_id(), TraceId::from(0xa1b), "{header}");
        assert_eq!(parent.span_id(), SpanId::from(0x2c), "{header}");
        assert!(parent.is_sampled() && parent.is_remote());
    }
    let outgoing = service().inject(&service().extract(&trace_header("a1b:2c:0:0")));
    assert_eq!(
        value(&outgoing, "uber-trace-id"),
        Some("00000000000000000000000000000a1b:000000000000002c:0:0")
    );
}

#[test]
fn what_is_not_valid_starts_a_new_trace() {
    for header in [
        "",
        ":::",
        "1:2:0",
        "1:2:0:1:",
        "0:2:0:1",
        "1:0:0:1",
        "1:2::1",
        "1:2:0:",
        "1:2:0:111",
        "1:2:0:x",
        "g:2:0:1",
        "1:12345678901234567:0:1",
        "123456789012345678901234567890123:2:0:1",
        "1:2:12345678901234567:1",
        "1%2:2:0:1",
        "-1:2:0:1",
    ] {
        let cx = service().extract(&trace_header(header));
        assert!(!cx.has_active_span(), "{header}");
    }
}

#[test]
fn debug_is_sampled_and_crosses_to_b3() {
    let incoming = trace_header(&format!("{TRACE}:{SPAN}:0:2"));
    let outgoing = Service::new("jaeger,b3", Sampler::default()).call(&incoming);
    assert!(value(&outgoing, "uber-trace-id").unwrap().ends_with(":0:3"));
    assert!(value(&outgoing, "b3").unwrap().ends_with("-d"));
}

#[test]
fn baggage_is_read_and_written() {
    let incoming = headers(&[
        ("uber-trace-id", "1:2:0:1"),
        ("uberctx-user", "a%20b+c%2Bd"),
        ("UberCtx-Other", "Gr%C3%BC%C3%9Fe"),
        ("uberctx-bad", "100%"),
        ("uberctx-", "no name"),
        ("uberct", "x"),
    ]);
    let cx = service().extract(&incoming);
    assert_eq!(cx.baggage().len(), 2);
    assert_eq!(cx.baggage().get("user").unwrap().as_str(), "a b c+d");
    assert_eq!(cx.baggage().get("other").unwrap().as_str(), "Grüße");

    let outgoing = service().inject(&cx);
    assert_eq!(value(&outgoing, "uberctx-user"), Some("a%20b%20c%2Bd"));
    assert_eq!(value(&outgoing, "uberctx-other"), Some("Gr%C3%BC%C3%9Fe"));
    assert_eq!(outgoing.len(), 3);
}

#[test]
fn baggage_counts_where_the_trace_is_not_valid() {
    let incoming = headers(&[("uber-trace-id", "x"), ("uberctx-user", "ann")]);
    let cx = service().extract(&incoming);
    assert!(!cx.has_active_span());
    assert_eq!(cx.baggage().get("user").unwrap().as_str(), "ann");
}

#[test]
fn baggage_that_is_written_has_a_limit() {
    let entry = |n: usize| KeyValueMetadata::new(format!("k{n:02}"), "é".repeat(50), "");
    let cx = Context::new().with_baggage((0..64).map(entry).collect::<Vec<_>>());
    let outgoing = service().inject(&cx);
    let bytes: usize = outgoing
        .iter()
        .map(|(k, v)| k.as_str().len() + v.len())
        .sum();
    assert!(bytes <= 8192);
    assert_eq!(outgoing.len(), 8192 / ("uberctx-k00".len() + 300));
}
