//! Of a request of log records exactly the exceptions that name a trace are kept, as they were sent. Requests are written by `prost` and `serde` from the
//! types of `opentelemetry-proto`, and what is kept is read by `prost`, so no code of ours checks itself.

#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use backtrail_wire::protobuf::{put_bytes, put_message, put_str};
use codec::{DecodeError, DecodedLogs, IgnoreReason, OtlpEncoding, RejectReason, decode_logs};
use model::{Limits, SpanBatch};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use prost::Message;

const ENCODINGS: [OtlpEncoding; 2] = [OtlpEncoding::Protobuf, OtlpEncoding::Json];

fn text(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.to_owned())),
    }
}

fn attribute(key: &str, value: impl Into<Option<AnyValue>>) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: value.into(),
        ..KeyValue::default()
    }
}

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let leaf = prop_oneof![
        ".{0,12}".prop_map(Value::StringValue),
        any::<i64>().prop_map(Value::IntValue),
        any::<bool>().prop_map(Value::BoolValue),
        (-1e300..1e300).prop_map(Value::DoubleValue),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(Value::BytesValue),
    ];
    let nested = leaf.prop_recursive(3, 8, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(|values| {
            let values = values
                .into_iter()
                .map(|value| AnyValue { value: Some(value) });
            Value::ArrayValue(ArrayValue {
                values: values.collect(),
            })
        })
    });
    prop::option::of(nested.prop_map(|value| AnyValue { value: Some(value) }))
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = select(vec![
        "exception.type",
        "exception.message",
        "exception.stacktrace",
        "exception",
        "exception.typ",
        "thread.name",
        "",
    ]);
    prop::collection::vec((key, value()), 0..4).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(key, value)| attribute(key, value))
            .collect()
    })
}

fn id(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), len),
        1 => Just(Vec::new()),
        1 => Just(vec![0; len]),
        1 => prop::collection::vec(1..=u8::MAX, 1..len),
    ]
}

fn record() -> impl Strategy<Value = LogRecord> {
    (
        (id(16), id(8)),
        (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>()),
        (0..25_i32, ".{0,8}", ".{0,8}"),
        value(),
        attributes(),
    )
        .prop_map(
            |(ids, numbers, (severity_number, severity_text, event_name), body, attributes)| {
                LogRecord {
                    trace_id: ids.0,
                    span_id: ids.1,
                    time_unix_nano: numbers.0,
                    observed_time_unix_nano: numbers.1,
                    dropped_attributes_count: numbers.2,
                    flags: numbers.3,
                    severity_number,
                    severity_text,
                    event_name,
                    body,
                    attributes,
                }
            },
        )
}

fn request() -> impl Strategy<Value = LogsData> {
    let scope_logs = prop::collection::vec(record(), 0..4).prop_map(|log_records| ScopeLogs {
        scope: Some(InstrumentationScope {
            name: "logger".to_owned(),
            ..InstrumentationScope::default()
        }),
        log_records,
        ..ScopeLogs::default()
    });
    let resource_logs = ("[a-z]{0,6}", prop::collection::vec(scope_logs, 0..3)).prop_map(
        |(service, scope_logs)| ResourceLogs {
            resource: Some(Resource {
                attributes: vec![attribute("service.name", text(&service))],
                ..Resource::default()
            }),
            scope_logs,
            ..ResourceLogs::default()
        },
    );
    prop::collection::vec(resource_logs, 0..3).prop_map(|resource_logs| LogsData { resource_logs })
}

/// The rules, once more.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Verdict {
    Keep,
    NoException,
    NoTrace,
    Reject,
}

fn verdict(record: &LogRecord) -> Verdict {
    let is_exception = (record.attributes.iter()).any(|attribute| {
        [
            "exception.type",
            "exception.message",
            "exception.stacktrace",
        ]
        .contains(&attribute.key.as_str())
    });
    let trace_id = &record.trace_id;
    if !is_exception {
        Verdict::NoException
    } else if trace_id.is_empty() || *trace_id == [0; 16] {
        Verdict::NoTrace
    } else if trace_id.len() == 16 && [0, 8].contains(&record.span_id.len()) {
        Verdict::Keep
    } else {
        Verdict::Reject
    }
}

/// What should be kept of a request, and how many log records there are of each kind.
fn expected(mut request: LogsData) -> (LogsData, impl Fn(Verdict) -> usize) {
    let mut verdicts = Vec::new();
    for resource_logs in &mut request.resource_logs {
        for scope_logs in &mut resource_logs.scope_logs {
            verdicts.extend(scope_logs.log_records.iter().map(verdict));
            (scope_logs.log_records).retain(|record| verdict(record) == Verdict::Keep);
        }
        (resource_logs.scope_logs).retain(|scope_logs| !scope_logs.log_records.is_empty());
    }
    (request.resource_logs).retain(|resource_logs| !resource_logs.scope_logs.is_empty());
    let count = move |wanted| {
        verdicts
            .iter()
            .filter(|verdict| **verdict == wanted)
            .count()
    };
    (request, count)
}

fn ignored(decoded: &DecodedLogs, wanted: IgnoreReason) -> usize {
    (decoded.ignored.by_reason())
        .find(|(reason, _)| *reason == wanted)
        .map_or(0, |(_, count)| count)
}

/// What holds of every answer.
fn check(decoded: &DecodedLogs) {
    assert_eq!(
        decoded.received,
        decoded.kept + decoded.ignored.count() + decoded.rejected.count()
    );
    assert_eq!(decoded.batch.len(), 0);
    assert_eq!(
        decoded.batch.event_columns().lone_rows().len(),
        decoded.kept
    );
    let replayed = SpanBatch::from_otlp_logs(&decoded.payload).unwrap();
    assert_eq!(replayed.events(), decoded.batch.events());
    let again = decode(OtlpEncoding::Protobuf, &decoded.payload).unwrap();
    assert_eq!((again.kept, again.received), (decoded.kept, decoded.kept));
    assert_eq!(again.batch.events(), decoded.batch.events());
}

fn decode(encoding: OtlpEncoding, body: &[u8]) -> Result<DecodedLogs, DecodeError> {
    decode_logs(encoding, body, &Limits::default())
}

fn write(encoding: OtlpEncoding, request: &LogsData) -> Vec<u8> {
    match encoding {
        OtlpEncoding::Protobuf => request.encode_to_vec(),
        OtlpEncoding::Json => serde_json::to_vec(request).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn exceptions_of_a_trace_are_kept_as_they_were_sent_and_the_others_counted(
        request in request(),
        encoding in select(ENCODINGS.to_vec()),
    ) {
        let decoded = decode(encoding, &write(encoding, &request)).unwrap();
        check(&decoded);
        let (kept, count) = expected(request);
        prop_assert_eq!(LogsData::decode(&*decoded.payload).unwrap(), kept);
        prop_assert_eq!(decoded.kept, count(Verdict::Keep));
        prop_assert_eq!(ignored(&decoded, IgnoreReason::NoException), count(Verdict::NoException));
        prop_assert_eq!(ignored(&decoded, IgnoreReason::NoTrace), count(Verdict::NoTrace));
        prop_assert_eq!(decoded.rejected.count(), count(Verdict::Reject));
    }

    #[test]
    fn any_bytes_have_an_answer(
        encoding in select(ENCODINGS.to_vec()),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(decoded) = decode(encoding, &body) {
            check(&decoded);
        }
    }

    #[test]
    fn damaged_requests_have_an_answer(
        request in request(),
        encoding in select(ENCODINGS.to_vec()),
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..5),
    ) {
        let mut body = write(encoding, &request);
        for (at, byte) in changes {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        if let Ok(decoded) = decode(encoding, &body) {
            check(&decoded);
        }
    }
}

fn exception(trace: u8) -> LogRecord {
    LogRecord {
        trace_id: vec![trace; 16],
        attributes: vec![attribute("exception.type", text("E"))],
        ..LogRecord::default()
    }
}

fn one_group(log_records: Vec<LogRecord>) -> LogsData {
    LogsData {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

fn nested(levels: usize) -> AnyValue {
    (0..levels).fold(text("deep"), |inner, _| AnyValue {
        value: Some(Value::ArrayValue(ArrayValue {
            values: vec![inner],
        })),
    })
}

#[test]
fn a_value_too_deep_or_a_record_too_large_rejects_the_exception_alone() {
    let mut deep = exception(1);
    deep.attributes.push(attribute("deep", nested(33)));
    let mut deep_body = exception(2);
    deep_body.body = Some(nested(33));
    let mut large = exception(3);
    large.body = Some(text(&"x".repeat(4 << 20)));
    let mut deep_and_plain = deep.clone();
    deep_and_plain.attributes.remove(0);
    let request = one_group(vec![deep, deep_body, large, deep_and_plain, exception(4)]);

    for encoding in ENCODINGS {
        let decoded = decode(encoding, &write(encoding, &request)).unwrap();
        assert_eq!((decoded.kept, decoded.ignored.count()), (1, 1));
        let reasons: Vec<_> = decoded.rejected.by_reason().collect();
        let expected = [(RejectReason::TooDeep, 2), (RejectReason::TooLarge, 1)];
        assert_eq!(reasons, expected, "{encoding:?}");
        for (record, example) in decoded.rejected.examples().iter().enumerate() {
            let place = format!("resourceLogs[0].scopeLogs[0].logRecords[{record}]: ");
            assert!(example.starts_with(&place), "{example}");
        }
    }
}

#[test]
fn text_that_is_not_utf_8_rejects_an_exception_and_nothing_else() {
    let record = |is_exception: bool| {
        let mut record = Vec::new();
        put_message(&mut record, 6, |attribute| {
            put_str(
                attribute,
                1,
                if is_exception { "exception.type" } else { "x" },
            );
            put_message(attribute, 2, |value| put_bytes(value, 1, b"\xff"));
        });
        put_bytes(&mut record, 9, &[1; 16]);
        record
    };
    let mut body = Vec::new();
    put_message(&mut body, 1, |resource_logs| {
        put_message(resource_logs, 2, |scope_logs| {
            put_bytes(scope_logs, 2, &record(true));
            put_bytes(scope_logs, 2, &record(false));
        });
    });
    let decoded = decode(OtlpEncoding::Protobuf, &body).unwrap();
    assert_eq!((decoded.kept, decoded.ignored.count()), (0, 1));
    assert_eq!(
        decoded.rejected.to_string(),
        "1 log record rejected (1 invalid_utf8): \
         resourceLogs[0].scopeLogs[0].logRecords[0]: attributes: field 1 is not valid UTF-8"
    );
}

#[test]
fn a_resource_that_can_not_be_read_takes_its_exceptions_along() {
    let mut request = one_group(vec![exception(1), LogRecord::default()]);
    request.resource_logs[0].resource = Some(Resource {
        attributes: vec![attribute("deep", nested(33))],
        ..Resource::default()
    });
    request
        .resource_logs
        .extend(one_group(vec![exception(2)]).resource_logs);
    for encoding in ENCODINGS {
        let decoded = decode(encoding, &write(encoding, &request)).unwrap();
        assert_eq!((decoded.kept, decoded.ignored.count()), (1, 1));
        let [example] = decoded.rejected.examples() else {
            panic!("one resource is wrong: {}", decoded.rejected);
        };
        assert!(example.starts_with("resourceLogs[0]: "), "{example}");
    }
}

#[test]
fn a_resource_that_each_of_many_exceptions_would_copy_is_refused() {
    let mut request = one_group(vec![exception(1); 1_000]);
    request.resource_logs[0].resource = Some(Resource {
        attributes: vec![attribute("padding", text(&"x".repeat(1 << 17)))],
        ..Resource::default()
    });
    for encoding in ENCODINGS {
        let error = decode(encoding, &write(encoding, &request)).unwrap_err();
        assert!(
            matches!(error, DecodeError::ResourcesTooLarge { .. }),
            "{error}"
        );
    }
}

#[test]
fn services_are_known_of_what_is_ignored() {
    let group = |service: &str, record: LogRecord| {
        let mut request = one_group(vec![record]);
        request.resource_logs[0].resource = Some(Resource {
            attributes: vec![attribute("service.name", text(service))],
            ..Resource::default()
        });
        request.resource_logs.remove(0)
    };
    let request = LogsData {
        resource_logs: vec![
            group("plain", LogRecord::default()),
            group("kept", exception(1)),
            group("plain", LogRecord::default()),
            ResourceLogs {
                resource: None,
                ..group("", LogRecord::default())
            },
        ],
    };
    for encoding in ENCODINGS {
        let decoded = decode(encoding, &write(encoding, &request)).unwrap();
        let services: Vec<_> = decoded.ignored.services().iter().collect();
        assert_eq!(services, ["plain", ""], "{encoding:?}");
    }
}

#[test]
fn what_is_no_request_is_an_error_that_names_it() {
    for (encoding, body, expected) in [
        (
            OtlpEncoding::Protobuf,
            &b"\x0a\x09abc"[..],
            "not an ExportLogsServiceRequest: at byte 0: truncated: 6 more bytes were expected",
        ),
        (
            OtlpEncoding::Json,
            b"[]",
            "not OTLP/JSON: line 1, column 2: ",
        ),
        (
            OtlpEncoding::Json,
            br#"{"resourceLogs":[{"scopeLogs":3}]}"#,
            "a list (ScopeLogs)",
        ),
    ] {
        let error = decode(encoding, body).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
