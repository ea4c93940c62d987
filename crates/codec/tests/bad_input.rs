//! Each kind of bad input: what is refused, what is kept beside it, and what the client is told.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use bytes::Bytes;
use codec::{DecodeError, Decoded, Encoding, RejectReason, decode};
use model::{Limits, SpanBatch};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use prost::Message as _;

fn good(name: &str) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: name.to_owned(),
        start_time_unix_nano: 10,
        end_time_unix_nano: 20,
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> TracesData {
    TracesData {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn decode_protobuf(body: impl Into<Bytes>) -> Result<Decoded, DecodeError> {
    decode(Encoding::OtlpProtobuf, body.into(), &Limits::default(), 0)
}

fn names(decoded: &Decoded) -> Vec<String> {
    let kept = TracesData::decode(&*decoded.payload).unwrap();
    let spans = kept
        .resource_spans
        .into_iter()
        .flat_map(|group| group.scope_spans);
    spans
        .flat_map(|group| group.spans)
        .map(|span| span.name)
        .collect()
}

fn nested(levels: usize) -> KeyValue {
    let mut value = AnyValue {
        value: Some(Value::IntValue(1)),
    };
    for _ in 0..levels {
        let values = vec![value];
        value = AnyValue {
            value: Some(Value::ArrayValue(ArrayValue { values })),
        };
    }
    KeyValue {
        key: "deep".to_owned(),
        value: Some(value),
        ..KeyValue::default()
    }
}

#[test]
fn a_bad_span_is_rejected_alone_with_its_reason() {
    let bad = |change: &dyn Fn(&mut Span)| {
        let mut span = good("bad");
        change(&mut span);
        span
    };
    let link = |trace: usize, span: usize| Link {
        trace_id: vec![1; trace],
        span_id: vec![1; span],
        ..Link::default()
    };
    let cases = [
        (
            bad(&|span| span.trace_id = vec![0; 16]),
            RejectReason::InvalidTraceId,
            "trace id is all zero",
        ),
        (
            bad(&|span| span.trace_id = vec![1; 8]),
            RejectReason::InvalidTraceId,
            "trace id has 8 bytes instead of 16",
        ),
        (
            bad(&|span| span.trace_id.clear()),
            RejectReason::InvalidTraceId,
            "trace id has 0 bytes instead of 16",
        ),
        (
            bad(&|span| span.span_id = vec![0; 8]),
            RejectReason::InvalidSpanId,
            "span id is all zero",
        ),
        (
            bad(&|span| span.span_id = vec![1; 16]),
            RejectReason::InvalidSpanId,
            "span id has 16 bytes instead of 8",
        ),
        (
            bad(&|span| span.parent_span_id = vec![1]),
            RejectReason::InvalidParentId,
            "parent span id has 1 bytes instead of 0 or 8",
        ),
        (
            bad(&|span| span.links = vec![link(16, 8), link(15, 8)]),
            RejectReason::InvalidLink,
            "links[1]: trace id has 15 bytes instead of 16",
        ),
        (
            bad(&|span| span.links = vec![link(16, 0)]),
            RejectReason::InvalidLink,
            "links[0]: span id has 0 bytes instead of 8",
        ),
        (
            bad(&|span| span.end_time_unix_nano = 9),
            RejectReason::TimeBackwards,
            "times run backwards: starts at 10 and ends at 9 (nanoseconds since 1970)",
        ),
        (
            bad(&|span| span.attributes = vec![nested(33)]),
            RejectReason::TooDeep,
            "attributes: attribute value is nested deeper than 32 levels",
        ),
        (
            bad(&|span| {
                span.events = vec![Event {
                    attributes: vec![nested(40)],
                    ..Event::default()
                }];
            }),
            RejectReason::TooDeep,
            "event: attribute value is nested deeper than 32 levels",
        ),
        (
            bad(&|span| {
                span.links = vec![Link {
                    attributes: vec![nested(33)],
                    ..link(16, 8)
                }];
            }),
            RejectReason::TooDeep,
            "link: attribute value is nested deeper than 32 levels",
        ),
        (
            bad(&|span| span.name = "x".repeat(4 << 20)),
            RejectReason::TooLarge,
            "span of 4194355 bytes is over the limit of 4194304",
        ),
    ];
    for (span, reason, detail) in cases {
        let body = request(vec![good("first"), span, good("last")]).encode_to_vec();
        let decoded = decode_protobuf(body).unwrap();
        assert_eq!(names(&decoded), ["first", "last"], "{detail}");
        assert_eq!((decoded.received, decoded.batch.len()), (3, 2));
        assert_eq!(
            decoded.rejected.by_reason().collect::<Vec<_>>(),
            [(reason, 1)]
        );
        let message = format!(
            "1 span rejected (1 {}): resourceSpans[0].scopeSpans[0].spans[1]: {detail}",
            reason.as_str()
        );
        assert_eq!(decoded.rejected.to_string(), message);
    }
}

#[test]
fn what_otlp_allows_is_not_rejected() {
    let mut running = good("no end");
    running.end_time_unix_nano = 0;
    let mut root = good("parent of zeros");
    root.parent_span_id = vec![0; 8];
    let mut linked = good("link to nothing");
    linked.links = vec![Link {
        trace_id: vec![0; 16],
        span_id: vec![0; 8],
        ..Link::default()
    }];
    let mut deep = good("as deep as it may be");
    deep.attributes = vec![nested(32)];
    let mut odd = good("");
    (odd.kind, odd.start_time_unix_nano, odd.end_time_unix_nano) = (99, 0, u64::MAX);
    let decoded =
        decode_protobuf(request(vec![running, root, linked, deep, odd]).encode_to_vec()).unwrap();
    assert_eq!(decoded.rejected.examples(), [""; 0]);
    assert_eq!(decoded.batch.len(), 5);
}

/// Replaces bytes of an encoded message, so that it stays framed as it was.
fn patch(body: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let at = body
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    body[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn text_that_is_not_utf_8_is_rejected_with_what_it_belongs_to() {
    let service = |name: &str| {
        let value = Some(AnyValue {
            value: Some(Value::StringValue(name.to_owned())),
        });
        let attribute = KeyValue {
            key: "service.name".to_owned(),
            value,
            ..KeyValue::default()
        };
        Some(Resource {
            attributes: vec![attribute],
            ..Resource::default()
        })
    };
    let mut sent = request(vec![good("in a bad resource"), good("beside it")]);
    sent.resource_spans[0].resource = service("<resource>");
    let mut scope = request(vec![good("in a bad scope")])
        .resource_spans
        .remove(0);
    scope.scope_spans[0].schema_url = "<scope>".to_owned();
    scope.scope_spans.push(ScopeSpans {
        spans: vec![good("kept")],
        ..ScopeSpans::default()
    });
    let mut span = request(vec![good("<span>"), good("kept too")])
        .resource_spans
        .remove(0);
    span.resource = service("shop");
    sent.resource_spans.extend([scope, span]);

    let mut body = sent.encode_to_vec();
    patch(&mut body, b"<resource>", b"<resourc\xff>");
    patch(&mut body, b"<scope>", b"<scop\xff>");
    patch(&mut body, b"<span>", b"<spa\xff>");
    let decoded = decode_protobuf(body).unwrap();
    assert_eq!(names(&decoded), ["kept", "kept too"]);
    assert_eq!(decoded.received, 6);
    assert_eq!(
        decoded.rejected.by_reason().collect::<Vec<_>>(),
        [(RejectReason::InvalidUtf8, 4)]
    );
    assert_eq!(
        decoded.rejected.examples(),
        [
            "resourceSpans[0]: field 1 is not valid UTF-8",
            "resourceSpans[1].scopeSpans[0]: field 3 is not valid UTF-8",
            "resourceSpans[2].scopeSpans[0].spans[0]: span: field 5 is not valid UTF-8",
        ]
    );
}

#[test]
fn a_group_whose_framing_is_broken_is_rejected_and_counted() {
    let mut broken = request(vec![good("a"), good("b")])
        .resource_spans
        .remove(0)
        .encode_to_vec();
    // The last span says that it is longer than what is there.
    let at = broken.len() - good("b").encoded_len() - 1;
    broken[at] += 1;
    let intact = request(vec![good("c")])
        .resource_spans
        .remove(0)
        .encode_to_vec();
    let mut body = Vec::new();
    for group in [broken, intact] {
        prost::encoding::bytes::encode(1, &group, &mut body);
    }
    let decoded = decode_protobuf(body).unwrap();
    assert_eq!(names(&decoded), ["c"]);
    assert_eq!((decoded.received, decoded.rejected.count()), (3, 2));
    assert_eq!(
        decoded.rejected.examples(),
        ["resourceSpans[0].scopeSpans[0]: truncated: 1 more bytes were expected"]
    );
}

#[test]
fn a_body_cut_at_any_byte_is_refused_or_read_up_to_a_group_that_is_whole() {
    let group = request(vec![good("a")]).encode_to_vec();
    let body = [&group[..], &group, &group].concat();
    for len in 0..=body.len() {
        match decode_protobuf(body[..len].to_vec()) {
            Ok(decoded) => {
                assert_eq!(len % group.len(), 0, "cut at {len}");
                assert_eq!(decoded.batch.len(), len / group.len());
            }
            Err(DecodeError::Protobuf { offset, .. }) => {
                assert_eq!(offset, len / group.len() * group.len(), "cut at {len}");
            }
            Err(error) => panic!("cut at {len}: {error}"),
        }
    }
}

#[test]
fn what_is_no_request_is_refused_with_its_place() {
    for (encoding, body, message) in [
        (
            Encoding::OtlpProtobuf,
            &b"{}"[..],
            "not an ExportTraceServiceRequest: at byte 0: wire type 3 of field 15 is not allowed",
        ),
        (
            Encoding::OtlpProtobuf,
            b"\x08\x01\x08\x01",
            "not an ExportTraceServiceRequest: at byte 0: field 1 has the wrong wire type",
        ),
        (
            Encoding::OtlpProtobuf,
            b"\x0a\x00\x0a\x05",
            "not an ExportTraceServiceRequest: at byte 2: truncated: 5 more bytes were expected",
        ),
        (
            Encoding::OtlpJson,
            b"",
            "not OTLP/JSON: line 1, column 0: EOF while parsing a value",
        ),
        (
            Encoding::OtlpJson,
            b"\n\x0a\x02",
            "not OTLP/JSON: line 3, column 1: expected value",
        ),
        (
            Encoding::OtlpJson,
            b"\xff",
            "not OTLP/JSON: not UTF-8 at byte 0",
        ),
        (
            Encoding::JaegerThriftBinary,
            b"",
            "not a Jaeger batch in Thrift: at byte 0: truncated: 1 more bytes were expected",
        ),
        (
            Encoding::JaegerThriftBinary,
            b"{}",
            "not a Jaeger batch in Thrift: at byte 1: type 123 is not defined",
        ),
        (
            Encoding::JaegerThriftCompact,
            b"\x00",
            "not a Jaeger batch in Thrift: at byte 1: not a jaeger.thrift Batch: it has no spans",
        ),
    ] {
        let error = decode(encoding, Bytes::from_static(body), &Limits::default(), 0).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// Replay reads the payload without any check, so it must not have what could not be read.
#[test]
fn an_unreadable_group_without_spans_is_not_kept() {
    let mut body = request(vec![good("a")]).encode_to_vec();
    body.extend_from_slice(b"\x0a\x04\x0a\x02\x0a\x05");
    let decoded = decode_protobuf(body).unwrap();
    assert_eq!((decoded.received, decoded.rejected.count()), (1, 0));
    assert_eq!(SpanBatch::from_otlp(&decoded.payload).unwrap().len(), 1);
}

#[test]
fn requests_without_spans_are_fine() {
    for (encoding, body) in [
        (Encoding::OtlpProtobuf, &b""[..]),
        (Encoding::OtlpProtobuf, b"\x0a\x00\x0a\x02\x12\x00"),
        (Encoding::OtlpJson, b"{}"),
        (
            Encoding::OtlpJson,
            br#"{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}"#,
        ),
        (
            Encoding::JaegerThriftBinary,
            b"\x0c\x00\x01\x00\x0f\x00\x02\x0c\x00\x00\x00\x00\x00",
        ),
        (Encoding::JaegerThriftCompact, b"\x1c\x00\x19\x0c\x00"),
    ] {
        let decoded = decode(encoding, Bytes::from_static(body), &Limits::default(), 0).unwrap();
        assert_eq!((decoded.received, decoded.batch.len()), (0, 0));
        assert!(decoded.rejected.is_empty());
    }
}

#[test]
fn a_request_of_empty_events_does_not_become_gigabytes() {
    let mut span = good("bomb");
    span.events = vec![Event::default(); 1 << 20];
    let body = request(vec![span; 3]).encode_to_vec();
    let error = decode_protobuf(body).unwrap_err();
    let expected = DecodeError::TooManyEvents {
        events: 3 << 20,
        max_events: 2 << 20,
    };
    assert_eq!(error, expected);
}

#[test]
fn deep_nesting_in_any_field_does_not_exhaust_the_stack() {
    // Each level is three bytes of length at least, so a body of 4 MiB holds hundreds of thousands.
    let mut value = Vec::new();
    for _ in 0..60_000 {
        let mut array = Vec::with_capacity(value.len() + 16);
        prost::encoding::bytes::encode(1, &value, &mut array);
        value.clear();
        prost::encoding::bytes::encode(5, &array, &mut value);
        if value.len() > 200_000 {
            break;
        }
    }
    let mut attribute = Vec::new();
    prost::encoding::bytes::encode(2, &value, &mut attribute);
    let mut span = good("deep").encode_to_vec();
    prost::encoding::bytes::encode(9, &attribute, &mut span);
    let mut body = span;
    for number in [2, 2, 1] {
        let mut outer = Vec::new();
        prost::encoding::bytes::encode(number, &body, &mut outer);
        body = outer;
    }
    let decoded = decode_protobuf(body).unwrap();
    assert_eq!(
        decoded.rejected.by_reason().collect::<Vec<_>>(),
        [(RejectReason::TooDeep, 1)]
    );
}
