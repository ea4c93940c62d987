//! Jaeger's JSON becomes OTLP. The encoder is `serde_json` on shapes of this test's own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use codec::{Decoded, Encoding, RejectReason, decode};
use model::Limits;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

fn read(json: &Value) -> Decoded {
    let body = serde_json::to_vec(json).unwrap();
    decode(Encoding::JaegerJson, body.into(), &Limits::default(), 0).unwrap()
}

fn otlp(decoded: &Decoded) -> TracesData {
    TracesData::decode(decoded.payload.clone()).unwrap()
}

fn attribute(key: &str, value: OtlpValue) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, OtlpValue::StringValue(value.to_owned()))
}

/// A tag as Jaeger writes it, and as the attribute that it is.
fn tag() -> impl Strategy<Value = (Value, KeyValue)> {
    let value = prop_oneof![
        any::<String>().prop_map(|text| ("string", json!(text), OtlpValue::StringValue(text))),
        any::<bool>().prop_map(|value| ("bool", json!(value), OtlpValue::BoolValue(value))),
        any::<bool>().prop_map(|value| (
            "bool",
            json!(value.to_string()),
            OtlpValue::BoolValue(value)
        )),
        any::<i64>().prop_map(|value| ("int64", json!(value), OtlpValue::IntValue(value))),
        any::<i64>().prop_map(|value| (
            "int64",
            json!(value.to_string()),
            OtlpValue::IntValue(value)
        )),
        (-1e300..1e300f64).prop_map(|value| (
            "float64",
            json!(value),
            OtlpValue::DoubleValue(value)
        )),
        Just((
            "float64",
            json!("-inf"),
            OtlpValue::DoubleValue(f64::NEG_INFINITY)
        )),
        Just(("binary", json!("AP8="), OtlpValue::BytesValue(vec![0, 255]))),
        // What is not of its type is kept as what it is.
        Just((
            "int64",
            json!("seven"),
            OtlpValue::StringValue("seven".to_owned())
        )),
        Just(("binary", json!("*"), OtlpValue::StringValue("*".to_owned()))),
        Just(("bool", json!(1.5), OtlpValue::DoubleValue(1.5))),
        Just((
            "",
            json!([1, "a"]),
            OtlpValue::StringValue(r#"[1,"a"]"#.to_owned())
        )),
    ];
    ("[a-d.]{0,6}", value).prop_map(|(key, (kind, value, otlp))| {
        let tag = json!({ "key": key, "type": kind, "value": value });
        (tag, attribute(&key, otlp))
    })
}

fn tags() -> impl Strategy<Value = (Vec<Value>, Vec<KeyValue>)> {
    prop::collection::vec(tag(), 0..4).prop_map(|tags| tags.into_iter().unzip())
}

/// As Jaeger's clients write ids: zeros at the front may be missing.
fn id(bytes: &[u8], short: bool) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = digits.concat();
    if short {
        hex.trim_start_matches('0').to_owned()
    } else {
        hex
    }
}

fn span() -> impl Strategy<Value = (Value, Span)> {
    let ids = (
        1u128..,
        prop_oneof![1u64..300, 1u64..],
        prop::option::of(1u64..),
        any::<bool>(),
    );
    let times = (0u64..1 << 50, 0u64..1 << 40);
    let logs = prop::collection::vec(
        (0u64..1 << 50, prop::option::of("[a-z]{0,4}"), tags()),
        0..3,
    );
    let references = prop::collection::vec((any::<bool>(), any::<u128>(), any::<u64>()), 0..3);
    let warnings = prop::collection::vec("[a-z ]{0,9}", 0..2);
    (ids, ".{0,9}", times, tags(), logs, references, any::<u8>(), warnings).prop_map(
        |((trace_id, span_id, parent, short), name, (start, duration), tags, logs, references, flags, warnings)| {
            let trace_bytes = trace_id.to_be_bytes();
            let (tags, mut attributes) = tags;
            let mut json_references = Vec::new();
            let mut links = Vec::new();
            if let Some(parent) = parent {
                json_references.push(json!({
                    "refType": "CHILD_OF", "traceID": id(&trace_bytes, short), "spanID": id(&parent.to_be_bytes(), short),
                }));
            }
            for (is_child, link_trace, link_span) in references {
                // Of another trace, so that it is no parent.
                let link_trace = if link_trace == trace_id { !link_trace } else { link_trace };
                let (ref_type, told) = if is_child { ("CHILD_OF", "child_of") } else { ("FOLLOWS_FROM", "follows_from") };
                json_references.push(json!({
                    "refType": ref_type, "traceID": id(&link_trace.to_be_bytes(), false), "spanID": id(&link_span.to_be_bytes(), false),
                }));
                links.push(Link {
                    trace_id: link_trace.to_be_bytes().to_vec(),
                    span_id: link_span.to_be_bytes().to_vec(),
                    attributes: vec![text("opentracing.ref_type", told)],
                    ..Link::default()
                });
            }
            let mut json_logs = Vec::new();
            let mut events = Vec::new();
            for (time, name, (mut fields, attributes)) in logs {
                if let Some(name) = &name {
                    fields.push(json!({ "key": "event", "type": "string", "value": name }));
                }
                json_logs.push(json!({ "timestamp": time, "fields": fields }));
                events.push(Event {
                    time_unix_nano: time * 1000,
                    name: name.unwrap_or_default(),
                    attributes,
                    ..Event::default()
                });
            }
            let json = json!({
                "traceID": id(&trace_bytes, short), "spanID": id(&span_id.to_be_bytes(), short), "flags": flags,
                "operationName": name, "references": json_references, "startTime": start, "duration": duration,
                "tags": tags, "logs": json_logs, "processID": "p1",
                "warnings": if warnings.is_empty() { Value::Null } else { json!(warnings) },
            });
            if !warnings.is_empty() {
                let values = warnings.into_iter().map(|text| AnyValue {
                    value: Some(OtlpValue::StringValue(text)),
                });
                attributes.push(attribute("@jaeger@warnings", OtlpValue::ArrayValue(ArrayValue { values: values.collect() })));
            }
            let span = Span {
                trace_id: trace_bytes.to_vec(),
                span_id: span_id.to_be_bytes().to_vec(),
                parent_span_id: parent.map_or(Vec::new(), |parent| parent.to_be_bytes().to_vec()),
                name,
                flags: flags.into(),
                start_time_unix_nano: start * 1000,
                end_time_unix_nano: (start + duration) * 1000,
                attributes,
                events,
                links,
                ..Span::default()
            };
            (json, span)
        },
    )
}

proptest! {
    #[test]
    fn every_span_is_told_truly((json, span) in span(), (process_tags, resource) in tags(), form in 0..3) {
        let trace = json!({
            "traceID": json["traceID"], "spans": [json], "warnings": null,
            "processes": { "p1": { "serviceName": "shop", "tags": process_tags }, "p2": {} },
        });
        let document = match form {
            0 => json!({ "data": [trace], "total": 0, "limit": 0, "offset": 0, "errors": null }),
            1 => json!([trace]),
            _ => trace,
        };
        let decoded = read(&document);
        prop_assert!(decoded.rejected.is_empty(), "{}", decoded.rejected);
        let expected = TracesData { resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: [vec![text("service.name", "shop")], resource].concat(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope::default()),
                spans: vec![span],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }] };
        prop_assert_eq!(otlp(&decoded), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_damaged_document_has_an_answer((json, _) in span(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..5)) {
        let mut body = serde_json::to_vec(&trace_of(&[json])).unwrap();
        for (at, value, cut) in changes {
            let at = at.index(body.len());
            if cut {
                body.remove(at);
            } else {
                body[at] = value;
            }
        }
        if let Ok(decoded) = decode(Encoding::JaegerJson, body.into(), &Limits::default(), 0) {
            prop_assert_eq!(decoded.received, decoded.batch.len() + decoded.rejected.count());
            prop_assert_eq!(model::SpanBatch::from_otlp(&decoded.payload).unwrap().len(), decoded.batch.len());
        }
    }
}

/// A span with these members instead of the usual ones.
fn span_with(members: &Value) -> Value {
    let mut span =
        json!({ "traceID": "a", "spanID": "b", "startTime": 1, "duration": 1, "processID": "p1" });
    for (name, value) in members.as_object().unwrap() {
        span[name] = value.clone();
    }
    span
}

fn trace_of(spans: &[Value]) -> Value {
    json!({ "spans": spans, "processes": { "p1": { "serviceName": "shop" } } })
}

#[test]
fn tags_that_otlp_has_fields_for_are_told_as_in_thrift() {
    let decoded = read(&trace_of(&[span_with(&json!({ "tags": [
        { "key": "span.kind", "type": "string", "value": "server" },
        { "key": "error", "type": "bool", "value": true },
        { "key": "otel.scope.name", "type": "string", "value": "http" },
    ] }))]));
    let data = otlp(&decoded);
    let scope_spans = &data.resource_spans[0].scope_spans[0];
    assert_eq!(scope_spans.scope.as_ref().unwrap().name, "http");
    let span = &scope_spans.spans[0];
    assert_eq!((span.kind, span.status.as_ref().unwrap().code), (2, 2));
    assert_eq!(span.attributes, []);
}

#[test]
fn a_bad_span_is_rejected_alone_and_its_place_is_named() {
    let good = span_with(&json!({}));
    for (members, reason, example) in [
        (
            json!({ "traceID": "" }),
            RejectReason::InvalidTraceId,
            r#"trace id "" is not hexadecimal digits"#,
        ),
        (
            json!({ "traceID": "0" }),
            RejectReason::InvalidTraceId,
            "trace id is all zero",
        ),
        (
            json!({ "spanID": "12345678901234567" }),
            RejectReason::InvalidSpanId,
            r#"span id "12345678901234567" is not"#,
        ),
        (
            json!({ "spanID": "+1" }),
            RejectReason::InvalidSpanId,
            r#"span id "+1" is not"#,
        ),
        (
            json!({ "parentSpanID": "é" }),
            RejectReason::InvalidParentId,
            "parent span id",
        ),
        (
            json!({ "startTime": -1 }),
            RejectReason::TimeOutOfRange,
            "start of -1 microseconds",
        ),
        (
            json!({ "startTime": u64::MAX }),
            RejectReason::TimeOutOfRange,
            "start of 18446744073709551615 microseconds",
        ),
        (
            json!({ "startTime": 1e30 }),
            RejectReason::TimeOutOfRange,
            "start of 1e+30 microseconds",
        ),
        (
            json!({ "startTime": 1_u64 << 54, "duration": 1_u64 << 54 }),
            RejectReason::TimeOutOfRange,
            "duration of",
        ),
        (
            json!({ "duration": -5 }),
            RejectReason::TimeBackwards,
            "duration of -5 microseconds",
        ),
        (
            json!({ "references": [{ "refType": "CHILD_OF", "traceID": "1" }] }),
            RejectReason::Malformed,
            "a reference lacks",
        ),
        (
            json!({ "references": [{ "refType": "X", "traceID": "1", "spanID": "2" }] }),
            RejectReason::Malformed,
            r#"type "X""#,
        ),
        (
            json!({ "references": [{ "traceID": "1", "spanID": "z" }] }),
            RejectReason::InvalidLink,
            "a reference's span id",
        ),
        (
            json!({ "tags": [{ "value": 1 }] }),
            RejectReason::Malformed,
            "a tag lacks its key",
        ),
        (
            json!({ "operationName": 5 }),
            RejectReason::Malformed,
            "invalid type: integer `5`",
        ),
    ] {
        let decoded = read(
            &json!({ "data": [trace_of(&[]), trace_of(&[good.clone(), span_with(&members), good.clone()])] }),
        );
        assert_eq!((decoded.received, decoded.batch.len()), (3, 2), "{members}");
        assert_eq!(
            decoded.rejected.by_reason().next(),
            Some((reason, 1)),
            "{members}"
        );
        let found = &decoded.rejected.examples()[0];
        assert!(
            found.starts_with("data[1].spans[1]: ") && found.contains(example),
            "{found}"
        );
    }
}

#[test]
fn a_process_that_can_not_be_read_takes_its_spans_along() {
    let decoded = read(&json!({
        "spans": [span_with(&json!({})), span_with(&json!({ "processID": "p2" })), span_with(&json!({ "processID": "p3" }))],
        "processes": { "p1": { "serviceName": "shop" }, "p2": { "serviceName": 5 } },
    }));
    assert_eq!(decoded.batch.len(), 2);
    assert!(decoded.rejected.examples()[0].starts_with("processes.p2: "));
    // Nothing is known of p3, and its span is kept.
    assert_eq!(decoded.batch.columns().service(1), "unknown_service");
}

#[test]
fn a_trace_that_can_not_be_read_counts_as_one_span() {
    let decoded = read(&json!([{ "spans": 1 }, trace_of(&[span_with(&json!({}))])]));
    assert_eq!((decoded.received, decoded.batch.len()), (2, 1));
    assert!(decoded.rejected.examples()[0].starts_with("[0]: "));
}

#[test]
fn a_span_may_bring_its_process_as_in_elasticsearch() {
    let own = json!({ "processID": "", "process": { "serviceName": "cart", "tags": [] } });
    let decoded = read(&trace_of(&[span_with(&own)]));
    assert_eq!(decoded.batch.columns().service(0), "cart");
}

#[test]
fn microseconds_may_have_a_fraction() {
    let decoded = read(&trace_of(&[span_with(
        &json!({ "startTime": 1.5, "duration": 2.25 }),
    )]));
    let columns = decoded.batch.columns();
    assert_eq!(
        (columns.starts.value(0), columns.ends.value(0)),
        (1500, 3750)
    );
}

#[test]
fn what_is_no_document_of_traces_is_an_error_with_its_place() {
    for (body, expected) in [
        (
            &b"{\"data\":[{]}"[..],
            "not Jaeger's JSON: line 1, column 11: ",
        ),
        (b"\xff", "not Jaeger's JSON: not UTF-8 at byte 0"),
        (b"{\"a\":1}", "missing field `spans`"),
        (b"[] x", "trailing characters"),
        (b"", "EOF"),
    ] {
        let error = decode(Encoding::JaegerJson, body.into(), &Limits::default(), 0).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
