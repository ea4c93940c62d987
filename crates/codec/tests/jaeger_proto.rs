//! `PostSpansRequest`, written by `prost`: what is admitted says what was sent, and what is not is rejected alone.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use bytes::Bytes;
use codec::{Decoded, Encoding, decode};
use model::Limits;
use opentelemetry_proto::tonic::common::v1::any_value::Value as OtlpValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue as OtlpKeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span as OtlpSpan, TracesData};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::{option, prop_oneof};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<Span>,
    #[prost(message, optional, tag = "2")]
    process: Option<Process>,
}

#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(message, repeated, tag = "2")]
    tags: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of model.proto"
)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    operation_name: String,
    #[prost(message, repeated, tag = "4")]
    references: Vec<SpanRef>,
    #[prost(uint32, tag = "5")]
    flags: u32,
    #[prost(message, optional, tag = "6")]
    start_time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    duration: Option<Time>,
    #[prost(message, repeated, tag = "8")]
    tags: Vec<KeyValue>,
    #[prost(message, repeated, tag = "9")]
    logs: Vec<Log>,
    #[prost(message, optional, tag = "10")]
    process: Option<Process>,
    #[prost(string, tag = "11")]
    process_id: String,
    #[prost(string, repeated, tag = "12")]
    warnings: Vec<String>,
}

/// `google.protobuf.Timestamp` and `Duration` alike.
#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct SpanRef {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(int32, tag = "3")]
    ref_type: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Log {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Time>,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(int32, tag = "2")]
    v_type: i32,
    #[prost(string, tag = "3")]
    v_str: String,
    #[prost(bool, tag = "4")]
    v_bool: bool,
    #[prost(int64, tag = "5")]
    v_int64: i64,
    #[prost(double, tag = "6")]
    v_float64: f64,
    #[prost(bytes = "vec", tag = "7")]
    v_binary: Vec<u8>,
}

const START: Time = Time {
    seconds: 1_767_225_600,
    nanos: 5,
};
const START_UNIX_NANO: u64 = 1_767_225_600_000_000_005;

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        v_str: value.to_owned(),
        ..KeyValue::default()
    }
}

fn span(id: u64) -> Span {
    Span {
        trace_id: 7_u128.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        operation_name: format!("operation {id}"),
        start_time: Some(START),
        duration: Some(Time {
            seconds: 1,
            nanos: 2,
        }),
        ..Span::default()
    }
}

fn process(name: &str) -> Process {
    Process {
        service_name: name.to_owned(),
        tags: Vec::new(),
    }
}

fn send(spans: Vec<Span>, process: Option<Process>) -> Decoded {
    let request = PostSpansRequest {
        batch: Some(Batch { spans, process }),
    };
    let body = Bytes::from(request.encode_to_vec());
    decode(Encoding::JaegerProtobuf, body, &Limits::default(), 0).unwrap()
}

fn admitted(decoded: &Decoded) -> Vec<ResourceSpans> {
    let data = TracesData::decode(decoded.payload.clone()).unwrap();
    assert_eq!(
        decoded.received,
        decoded.batch.len() + decoded.rejected.count()
    );
    data.resource_spans
}

/// Of a request with one span.
fn translated(sent: Span) -> OtlpSpan {
    let decoded = send(vec![sent], Some(process("shop")));
    assert!(decoded.rejected.is_empty(), "{}", decoded.rejected);
    admitted(&decoded)
        .remove(0)
        .scope_spans
        .remove(0)
        .spans
        .remove(0)
}

fn string(value: &str) -> OtlpValue {
    OtlpValue::StringValue(value.to_owned())
}

fn values(attributes: &[OtlpKeyValue]) -> Vec<(&str, OtlpValue)> {
    let value = |any: &Option<AnyValue>| any.clone().unwrap().value.unwrap();
    attributes
        .iter()
        .map(|attribute| (attribute.key.as_str(), value(&attribute.value)))
        .collect()
}

#[test]
fn ids_times_flags_and_the_parent_are_those_of_the_span() {
    let own_trace = 7_u128.to_be_bytes().to_vec();
    let reference = |trace_id: &[u8], span_id: u64, ref_type| SpanRef {
        trace_id: trace_id.to_vec(),
        span_id: span_id.to_be_bytes().to_vec(),
        ref_type,
    };
    let read = translated(Span {
        // As clients of old write a trace id of 64 bits.
        trace_id: 7_u64.to_be_bytes().to_vec(),
        flags: 0x0101,
        references: vec![
            reference(&8_u128.to_be_bytes(), 3, 0),
            reference(&own_trace, 4, 1),
            reference(&own_trace, 5, 0),
        ],
        process_id: "p1".to_owned(),
        warnings: vec!["late".to_owned()],
        ..span(9)
    });
    assert_eq!(read.trace_id, own_trace);
    assert_eq!(read.span_id, 9_u64.to_be_bytes());
    assert_eq!(read.parent_span_id, 5_u64.to_be_bytes());
    assert_eq!(read.start_time_unix_nano, START_UNIX_NANO);
    assert_eq!(read.end_time_unix_nano, START_UNIX_NANO + 1_000_000_002);
    assert_eq!((read.flags, read.name.as_str()), (1, "operation 9"));
    let links: Vec<_> = read
        .links
        .iter()
        .map(|link| (link.span_id[7], values(&link.attributes)))
        .collect();
    assert_eq!(
        links,
        [
            (3, vec![("opentracing.ref_type", string("child_of"))]),
            (4, vec![("opentracing.ref_type", string("follows_from"))]),
        ]
    );
}

#[test]
fn tags_mean_what_they_mean_in_thrift() {
    let error = KeyValue {
        key: "error".to_owned(),
        v_type: 1,
        v_bool: true,
        ..KeyValue::default()
    };
    let read = translated(Span {
        tags: vec![
            text("span.kind", "server"),
            error,
            text("otel.status_description", "boom"),
            text("kept", "yes"),
        ],
        logs: vec![Log {
            timestamp: Some(START),
            fields: vec![text("event", "cache miss"), text("key", "k1")],
        }],
        ..span(1)
    });
    assert_eq!(read.kind, 2);
    let status = read.status.unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "boom"));
    assert_eq!(values(&read.attributes), [("kept", string("yes"))]);
    assert_eq!(read.events[0].name, "cache miss");
    assert_eq!(read.events[0].time_unix_nano, START_UNIX_NANO);
    assert_eq!(values(&read.events[0].attributes), [("key", string("k1"))]);
}

#[test]
fn spans_of_one_process_stand_together_and_their_own_counts_for_more() {
    let of = |id, name: &str| Span {
        process: Some(process(name)),
        ..span(id)
    };
    let mut shop = process("shop");
    shop.tags = vec![text("hostname", "a1")];
    let decoded = send(
        vec![span(1), of(2, "bank"), span(3), of(4, "bank")],
        Some(shop),
    );
    let found: Vec<_> = admitted(&decoded)
        .into_iter()
        .map(|of_process| {
            let spans = &of_process.scope_spans[0].spans;
            let ids: Vec<u8> = spans.iter().map(|span| span.span_id[7]).collect();
            (
                values(&of_process.resource.unwrap_or_default().attributes).len(),
                ids,
            )
        })
        .collect();
    assert_eq!(found, [(2, vec![1, 3]), (1, vec![2, 4])]);

    // Neither the span nor the batch has one: there is no service, and the span is kept.
    let decoded = send(vec![span(1)], None);
    assert!(
        admitted(&decoded)[0]
            .resource
            .as_ref()
            .unwrap()
            .attributes
            .is_empty()
    );
}

#[test]
fn what_can_not_be_told_truly_is_rejected_alone_with_its_reason() {
    let time = |seconds, nanos| Some(Time { seconds, nanos });
    let with = |change: fn(&mut Span)| {
        let mut changed = span(2);
        change(&mut changed);
        changed
    };
    let bad_type = KeyValue {
        v_type: 9,
        ..text("strange", "")
    };
    let no_id = SpanRef {
        trace_id: Vec::new(),
        span_id: Vec::new(),
        ref_type: 0,
    };
    for (bad, reason, detail) in [
        (
            with(|span| span.trace_id.truncate(5)),
            "invalid_trace_id",
            "trace id has 5 bytes",
        ),
        (
            with(|span| span.trace_id.fill(0)),
            "invalid_trace_id",
            "all zero",
        ),
        (
            with(|span| span.span_id.clear()),
            "invalid_span_id",
            "span id",
        ),
        (
            Span {
                start_time: time(-1, 0),
                ..span(2)
            },
            "time_out_of_range",
            "start of -1 seconds and 0 nanoseconds",
        ),
        (
            Span {
                start_time: time(1, 1_000_000_000),
                ..span(2)
            },
            "time_out_of_range",
            "start of 1 seconds and 1000000000 nanoseconds",
        ),
        (
            Span {
                duration: time(i64::MAX, 0),
                ..span(2)
            },
            "time_out_of_range",
            "duration of",
        ),
        (
            Span {
                duration: time(0, -1),
                ..span(2)
            },
            "time_backwards",
            "duration of 0 seconds and -1 nanoseconds",
        ),
        (
            Span {
                tags: vec![bad_type],
                ..span(2)
            },
            "malformed",
            "tag \"strange\" has type 9",
        ),
        (
            Span {
                references: vec![no_id],
                ..span(2)
            },
            "malformed",
            "a reference lacks its trace id or span id",
        ),
    ] {
        let decoded = send(vec![span(1), bad, span(3)], Some(process("shop")));
        assert_eq!(decoded.batch.len(), 2, "{detail}");
        let message = decoded.rejected.to_string();
        assert!(
            message.starts_with(&format!("1 span rejected (1 {reason}): spans[1]: ")),
            "{message}"
        );
        assert!(message.contains(detail), "{message}");
    }
}

#[test]
fn a_request_that_was_cut_off_is_refused_whole_with_the_place() {
    let request = PostSpansRequest {
        batch: Some(Batch {
            spans: vec![span(1), span(2)],
            process: Some(process("shop")),
        }),
    };
    let body = request.encode_to_vec();
    let cut = Bytes::from(body[..body.len() - 3].to_vec());
    let error = decode(Encoding::JaegerProtobuf, cut, &Limits::default(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a PostSpansRequest: at byte 0: truncated: 3 more bytes were expected"
    );
}

fn key_value() -> impl Strategy<Value = KeyValue> {
    let key = "[a-z.]{0,8}";
    prop_oneof![
        (key, ".{0,8}").prop_map(|(key, value)| text(&key, &value)),
        (key, any::<bool>()).prop_map(|(key, v_bool)| KeyValue {
            key,
            v_type: 1,
            v_bool,
            ..KeyValue::default()
        }),
        (key, any::<i64>()).prop_map(|(key, v_int64)| KeyValue {
            key,
            v_type: 2,
            v_int64,
            ..KeyValue::default()
        }),
        (key, -1e300..1e300).prop_map(|(key, v_float64)| KeyValue {
            key,
            v_type: 3,
            v_float64,
            ..KeyValue::default()
        }),
        (key, vec(any::<u8>(), 0..9)).prop_map(|(key, v_binary)| KeyValue {
            key,
            v_type: 4,
            v_binary,
            ..KeyValue::default()
        }),
    ]
}

/// What the value of a tag is in OTLP.
fn expected_value(tag: &KeyValue) -> (&str, OtlpValue) {
    let value = match tag.v_type {
        0 => OtlpValue::StringValue(tag.v_str.clone()),
        1 => OtlpValue::BoolValue(tag.v_bool),
        2 => OtlpValue::IntValue(tag.v_int64),
        3 => OtlpValue::DoubleValue(tag.v_float64),
        _ => OtlpValue::BytesValue(tag.v_binary.clone()),
    };
    (&tag.key, value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// No key means anything to the translation here; those that do have tests of their own.
    #[test]
    fn what_is_sent_is_what_is_admitted(
        ids in (1..u128::MAX, 1..u64::MAX),
        name in ".{0,20}",
        start in (0..9_000_000_000_i64, 0..1_000_000_000_i32),
        took in (0..1_000_000_i64, 0..1_000_000_000_i32),
        flags in any::<u32>(),
        tags in vec(key_value(), 0..6),
        logs in vec((0..9_000_000_000_i64, vec(key_value(), 0..4)), 0..4),
        host in option::of("[a-z]{1,9}"),
        warnings in vec(".{0,9}", 0..3),
    ) {
        let plain = |tags: Vec<KeyValue>| -> Vec<KeyValue> {
            let rename = |mut tag: KeyValue| {
                tag.key.insert(0, '_');
                tag
            };
            tags.into_iter().map(rename).collect()
        };
        let tags = plain(tags);
        let logs: Vec<Log> = logs
            .into_iter()
            .map(|(seconds, fields)| Log {
                timestamp: Some(Time { seconds, nanos: 0 }),
                fields: plain(fields),
            })
            .collect();
        let sent = Span {
            trace_id: ids.0.to_be_bytes().to_vec(),
            span_id: ids.1.to_be_bytes().to_vec(),
            operation_name: name.clone(),
            flags,
            start_time: Some(Time { seconds: start.0, nanos: start.1 }),
            duration: Some(Time { seconds: took.0, nanos: took.1 }),
            tags: tags.clone(),
            logs: logs.clone(),
            process: host.map(|host| process(&host)),
            warnings: warnings.clone(),
            ..Span::default()
        };
        let read = translated(sent.clone());
        let unix_nano = |seconds: i64, nanos: i32| seconds as u64 * 1_000_000_000 + nanos as u64;
        let start_unix_nano = unix_nano(start.0, start.1);
        assert_eq!((read.trace_id, read.span_id), (sent.trace_id, sent.span_id));
        assert_eq!((read.name, read.flags), (name, flags & 0xff));
        assert_eq!(read.start_time_unix_nano, start_unix_nano);
        assert_eq!(read.end_time_unix_nano, start_unix_nano + unix_nano(took.0, took.1));
        let mut attributes: Vec<_> = tags.iter().map(expected_value).collect();
        if !warnings.is_empty() {
            let values = warnings.iter().map(|text| AnyValue { value: Some(string(text)) });
            let values = values.collect();
            attributes.push(("@jaeger@warnings", OtlpValue::ArrayValue(ArrayValue { values })));
        }
        assert_eq!(values(&read.attributes), attributes);
        assert_eq!(read.events.len(), logs.len());
        for (event, log) in read.events.iter().zip(&logs) {
            assert_eq!(event.time_unix_nano, unix_nano(log.timestamp.unwrap().seconds, 0));
            assert_eq!(values(&event.attributes), log.fields.iter().map(expected_value).collect::<Vec<_>>());
        }
    }
}
