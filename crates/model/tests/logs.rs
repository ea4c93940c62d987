//! Log records become events, whoever encoded them.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use backtrail_wire::otlp::{ResourceSpans, ScopeSpans};
use model::{AttributeValue, SpanBatch};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::prelude::*;
use prost::Message;

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

fn record() -> impl Strategy<Value = LogRecord> {
    let trace_id = prop_oneof![
        4 => prop::collection::vec(1..=u8::MAX, 16),
        1 => Just(Vec::new()),
        1 => Just(vec![0; 16])
    ];
    let span_id = prop_oneof![prop::collection::vec(1..=u8::MAX, 8), Just(Vec::new())];
    let times = (prop_oneof![Just(0), any::<u64>()], any::<u64>());
    let texts = (".{0,8}", ".{0,8}", ".{0,20}");
    (trace_id, span_id, times, texts, any::<u32>()).prop_map(
        |(trace_id, span_id, times, (event_name, severity, message), dropped)| LogRecord {
            trace_id,
            span_id,
            time_unix_nano: times.0,
            observed_time_unix_nano: times.1,
            event_name,
            severity_number: 17,
            severity_text: severity,
            body: text("", &message).value,
            attributes: vec![
                text("exception.message", &message),
                text("exception.type", "E"),
            ],
            dropped_attributes_count: dropped,
            flags: 1,
        },
    )
}

proptest! {
    #[test]
    fn each_log_record_of_a_trace_is_an_event_without_its_span(
        records in prop::collection::vec(record(), 0..8),
        service in "[a-z]{1,8}",
        logger in "[a-z]{1,8}",
    ) {
        let logs = LogsData {
            resource_logs: vec![ResourceLogs {
                resource: Some(Resource { attributes: vec![text("service.name", &service)], ..Resource::default() }),
                scope_logs: vec![ScopeLogs {
                    scope: Some(InstrumentationScope { name: logger.clone(), ..InstrumentationScope::default() }),
                    log_records: records.clone(),
                    schema_url: "scope".to_owned(),
                }],
                schema_url: "resource".to_owned(),
            }],
        };
        let batch = SpanBatch::from_otlp_logs(&logs.encode_to_vec()).unwrap();
        let columns = batch.event_columns();
        let kept: Vec<&LogRecord> = records.iter().filter(|record| record.trace_id.iter().any(|byte| *byte != 0)).collect();
        prop_assert_eq!(columns.lone_rows(), 0..kept.len());
        prop_assert_eq!(batch.len(), 0);
        for (row, record) in kept.into_iter().enumerate() {
            prop_assert_eq!(&columns.trace_id(row).0[..], &record.trace_id[..]);
            let span_id = if record.span_id.is_empty() { &[0; 8][..] } else { &record.span_id };
            prop_assert_eq!(&columns.span_id(row).0[..], span_id);
            let time = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
            prop_assert_eq!(columns.times.value(row), time);
            let name = if record.event_name.is_empty() { "exception" } else { &record.event_name };
            prop_assert_eq!(columns.names.value(row), name);
            prop_assert_eq!(columns.dropped_attributes_counts.value(row), record.dropped_attributes_count);
            let attributes = columns.attributes(row);
            for expected in &record.attributes {
                let Some(AnyValue { value: Some(Value::StringValue(value)) }) = &expected.value else { unreachable!() };
                prop_assert_eq!(attributes.get(&expected.key), Some(AttributeValue::String(value)));
            }
            let Some(AnyValue { value: Some(Value::StringValue(body)) }) = &record.body else { unreachable!() };
            prop_assert_eq!(attributes.get("log.body"), Some(AttributeValue::String(body)));
            let severity = (!record.severity_text.is_empty()).then_some(AttributeValue::String(&record.severity_text));
            prop_assert_eq!(attributes.get("log.severity_text"), severity);
            let resource = ResourceSpans::new(columns.resources.value(row));
            prop_assert_eq!(resource.service_name().unwrap(), Some(&service[..]));
            prop_assert_eq!(resource.schema_url().unwrap(), "resource");
            let scope = ScopeSpans::new(columns.scopes.value(row));
            prop_assert_eq!(scope.name().unwrap(), &logger);
            prop_assert_eq!(scope.schema_url().unwrap(), "scope");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(batch) = SpanBatch::from_otlp_logs(&bytes) {
            prop_assert!(batch.events().num_rows() <= bytes.len());
        }
    }
}
