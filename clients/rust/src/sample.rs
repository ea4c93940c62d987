//! One trace that uses every feature of the OpenTelemetry API for Rust that reaches the wire.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};

/// The same in the test that reads the sample back.
fn at(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::new(1_760_000_000, 123) + Duration::from_millis(ms)
}

/// Ends a trace under a remote parent, and prints the ids that the SDK made.
pub(crate) fn send(provider: &SdkTracerProvider) -> Result<()> {
    let scope = InstrumentationScope::builder("backtrail.sample").with_version("1.2.3");
    let tracer = provider.tracer_with_scope(scope.build());
    let parent = remote_parent()?;
    let in_parent = Context::new().with_remote_span_context(parent.clone());

    let server = SpanBuilder::from_name("GET /käse/{größe} 🧀")
        .with_kind(SpanKind::Server)
        .with_start_time(at(0))
        .with_attributes(attributes());
    let in_server = in_parent.with_span(tracer.build_with_context(server, &in_parent));

    let link = Link::new(parent.clone(), vec![KeyValue::new("link.attempt", 2)], 0);
    let client = SpanBuilder::from_name("SELECT carts")
        .with_kind(SpanKind::Client)
        .with_start_time(at(5))
        .with_links(vec![link]);
    let mut client = tracer.build_with_context(client, &in_server);
    client.add_event_with_timestamp("row.read", at(6), vec![KeyValue::new("row.number", 17)]);
    client.set_status(Status::error("no such column: größe"));
    client.end_with_timestamp(at(9));

    let internal = SpanBuilder::from_name("price").with_start_time(at(10));
    let mut internal = tracer.build_with_context(internal, &in_server);
    internal.set_status(Status::Ok);
    internal.end_with_timestamp(at(10));

    let server = in_server.span();
    server.end_with_timestamp(at(40));
    let ids = serde_json::json!({
        "trace": parent.trace_id().to_string(),
        "parent": parent.span_id().to_string(),
        "server": server.span_context().span_id().to_string(),
        "client": client.span_context().span_id().to_string(),
        "internal": internal.span_context().span_id().to_string(),
    });
    println!("{ids}");
    Ok(())
}

/// A span in a new trace that nobody sends.
fn remote_parent() -> Result<SpanContext> {
    let ids = RandomIdGenerator::default();
    let (trace, span): (TraceId, SpanId) = (ids.new_trace_id(), ids.new_span_id());
    let state = TraceState::from_key_value([("vendor", "t61rcWkgMzE")])?;
    Ok(SpanContext::new(
        trace,
        span,
        TraceFlags::SAMPLED,
        true,
        state,
    ))
}

fn attributes() -> Vec<KeyValue> {
    let texts: Vec<StringValue> = vec!["a".into(), "".into(), "ü".into()];
    vec![
        KeyValue::new("text", "plain"),
        KeyValue::new("text.empty", ""),
        KeyValue::new("text.unicode", "Grüße, 世界 🚀 \"quoted\" \\ back\nslash"),
        KeyValue::new("flag.yes", true),
        KeyValue::new("flag.no", false),
        KeyValue::new("int", 42),
        KeyValue::new("int.lowest", i64::MIN),
        KeyValue::new("int.largest", i64::MAX),
        KeyValue::new("double", 2.5),
        KeyValue::new("double.whole", 3.0),
        KeyValue::new("texts", Value::Array(Array::String(texts))),
        KeyValue::new("flags", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("ints", Value::Array(Array::I64(vec![1, -2]))),
        KeyValue::new("doubles", Value::Array(Array::F64(vec![0.5, 3.0]))),
    ]
}
