//! What is encoded, against a decoder and a translation that others wrote.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use backtrail_wire::jaeger_thrift::{Encoding, to_otlp};
use backtrail_wire::otlp::SpanLimits;
use opentelemetry::trace::{Event, SpanKind, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{self as proto, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, span};
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents};
use proptest::prelude::*;
use prost::Message as _;

use super::arbitrary::{batches, plain_span};
use super::{EncodeLimits, EncodedSpans, halves, jaeger, otlp, otlp_json, with_field};
use crate::export::decode;

/// Keys that repeat often.
const ANY_KEY: &str = "[a-c]{0,2}|http\\.[a-z]{1,20}|k{120,130}|event";
/// Keys that mean nothing to Jaeger.
const PLAIN_KEY: &str = "[a-c]{1,2}|db\\.[a-z]{1,20}|event";

const UNCUT: EncodeLimits = EncodeLimits {
    attribute_value_len: None,
};

fn resource() -> Resource {
    Resource::builder_empty()
        .with_schema_url(
            [
                KeyValue::new("service.name", "shop"),
                KeyValue::new("host.cores", 2),
                KeyValue::new("tags", Value::Array(Array::Bool(vec![true, false]))),
            ],
            "https://example.com/schema",
        )
        .build()
}

fn encoded(batch: &[SpanData], limits: &EncodeLimits) -> EncodedSpans {
    let mut encoded = EncodedSpans::default();
    for span in batch {
        with_field(span, limits, |field| {
            let scope = &span.instrumentation_scope;
            encoded.push(scope, field.len(), |out| field.put(out));
        });
    }
    encoded
}

fn request(batch: &[SpanData], limits: &EncodeLimits) -> Vec<u8> {
    let resource = otlp::encode_resource(&resource());
    otlp::request([&encoded(batch, limits)], &resource)
}

fn decoded(batch: &[SpanData], limits: &EncodeLimits) -> Vec<ResourceSpans> {
    let bytes = request(batch, limits);
    let request = ExportTraceServiceRequest::decode(&*bytes).unwrap();
    request.resource_spans
}

/// What OpenTelemetry's own exporter sends for the batch. It knows no limits, keeps repeated keys and says that a status is unset.
fn expected(mut batch: Vec<SpanData>, max_chars: Option<usize>) -> Vec<ResourceSpans> {
    if batch.is_empty() {
        return Vec::new();
    }
    for span in &mut batch {
        span.end_time = span.end_time.max(span.start_time);
        normalise(&mut span.attributes, max_chars);
        for event in &mut span.events.events {
            normalise(&mut event.attributes, max_chars);
        }
        for link in &mut span.links.links {
            normalise(&mut link.attributes, max_chars);
        }
    }
    let mut groups = group_spans_by_resource_and_scope(batch, &(&resource()).into());
    for group in &mut groups {
        if let Some(resource) = &mut group.resource {
            resource.attributes.sort_by(|a, b| a.key.cmp(&b.key));
        }
        for span in group
            .scope_spans
            .iter_mut()
            .flat_map(|scope| &mut scope.spans)
        {
            span.status.take_if(|status| status.code == 0);
        }
    }
    groups
}

fn normalise(attributes: &mut Vec<KeyValue>, max_chars: Option<usize>) {
    let cut = |text: &StringValue| -> StringValue {
        let chars = text.as_str().chars();
        chars
            .take(max_chars.unwrap_or(usize::MAX))
            .collect::<String>()
            .into()
    };
    let last: HashMap<_, _> = attributes
        .iter()
        .enumerate()
        .map(|(index, attribute)| (attribute.key.clone(), index))
        .collect();
    let mut index = 0;
    attributes.retain(|attribute| {
        index += 1;
        last[&attribute.key] == index - 1
    });
    for attribute in attributes {
        match &mut attribute.value {
            Value::String(text) => *text = cut(text),
            Value::Array(Array::String(texts)) => {
                for text in texts {
                    *text = cut(text);
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_batch_is_decoded_as_the_official_translation_of_it(
        batch in batches(ANY_KEY),
        max_chars in proptest::option::of(0usize..30),
    ) {
        let limits = EncodeLimits { attribute_value_len: max_chars };
        prop_assert_eq!(decoded(&batch, &limits), expected(batch, max_chars));
    }

    #[test]
    fn the_halves_of_a_request_have_its_spans_and_what_is_around_them(
        batch in batches(ANY_KEY),
        first_len in 0_usize..10,
    ) {
        let whole = request(&batch, &UNCUT);
        let requests = halves(&whole, first_len).unwrap();
        let [first, second] = requests.map(|half| ExportTraceServiceRequest::decode(&*half).unwrap().resource_spans);
        let count = |groups: &[ResourceSpans]| spans_of(groups.to_vec()).len();
        prop_assert_eq!(count(&first), first_len.min(batch.len()));
        for resource_spans in first.iter().chain(&second) {
            prop_assert!(resource_spans.scope_spans.iter().all(|scope| !scope.spans.is_empty()));
        }
        let whole = ExportTraceServiceRequest::decode(&*whole).unwrap().resource_spans;
        let around = |groups: &[ResourceSpans]| {
            groups.first().map(|group| (group.resource.clone(), group.schema_url.clone()))
        };
        for half in [&first, &second].into_iter().filter(|half| !half.is_empty()) {
            prop_assert_eq!(around(half), around(&whole));
        }
        prop_assert_eq!(spans_of([first, second].concat()), spans_of(whole));
    }

    #[test]
    fn a_span_is_decoded_as_the_sdk_has_it(
        batch in batches(ANY_KEY),
        max_chars in proptest::option::of(0usize..30),
    ) {
        let limits = EncodeLimits { attribute_value_len: max_chars };
        let spans = decode::spans([&encoded(&batch, &limits)].into_iter()).unwrap();
        // Written again, they say the same: so what is not written is all that may differ.
        prop_assert_eq!(decoded(&spans, &UNCUT), expected(batch, max_chars));
    }

    #[test]
    fn a_jaeger_batch_is_read_as_the_same_spans(
        batch in batches(PLAIN_KEY),
        max_chars in proptest::option::of(0usize..30),
    ) {
        let limits = EncodeLimits { attribute_value_len: max_chars };
        prop_assert_eq!(read_jaeger(&batch, &limits), as_jaeger_tells(expected(batch, max_chars)));
    }
}

/// Encodes a batch for Jaeger and reads it with the server's reader, whose own tests have an encoder of their own.
fn read_jaeger(
    batch: &[SpanData],
    limits: &EncodeLimits,
) -> Vec<(proto::InstrumentationScope, Span)> {
    let bytes = jaeger::encode(&request(batch, limits), "shop", &resource()).unwrap();
    let span_limits = SpanLimits {
        max_value_depth: 4,
        max_span_bytes: 1 << 30,
    };
    let transcoded = to_otlp(&bytes, Encoding::Binary, &span_limits).unwrap();
    assert_eq!(transcoded.rejected.examples(), [""; 0]);
    let request = ExportTraceServiceRequest::decode(&*transcoded.protobuf).unwrap();
    let group = &request.resource_spans[0];
    let attributes = &group.resource.as_ref().unwrap().attributes;
    let expected = [
        attribute("service.name", text("shop")),
        attribute("host.cores", any_value::Value::IntValue(2)),
        attribute("tags", text("[true,false]")),
    ];
    assert_eq!(attributes, &expected);
    spans_of(request.resource_spans)
}

/// The spans in the order of their ids, with their scopes.
fn spans_of(groups: Vec<ResourceSpans>) -> Vec<(proto::InstrumentationScope, Span)> {
    let mut spans: Vec<_> = groups
        .into_iter()
        .flat_map(|group| group.scope_spans)
        .flat_map(|scope| {
            let of = scope.scope.unwrap_or_default();
            scope.spans.into_iter().map(move |span| (of.clone(), span))
        })
        .collect();
    spans.sort_by(|(_, a), (_, b)| a.span_id.cmp(&b.span_id));
    spans
}

/// What is left of spans after they were told in Jaeger's words.
fn as_jaeger_tells(groups: Vec<ResourceSpans>) -> Vec<(proto::InstrumentationScope, Span)> {
    let mut spans = spans_of(groups);
    for (scope, span) in &mut spans {
        scope.attributes.clear();
        span.start_time_unix_nano -= span.start_time_unix_nano % 1000;
        span.end_time_unix_nano -= span.end_time_unix_nano % 1000;
        span.flags &= 0xff;
        span.attributes.iter_mut().for_each(arrays_to_json);
        let counts = [
            (
                "otel.dropped_attributes_count",
                &mut span.dropped_attributes_count,
            ),
            ("otel.dropped_events_count", &mut span.dropped_events_count),
            ("otel.dropped_links_count", &mut span.dropped_links_count),
        ];
        for (key, count) in counts {
            count_to_attribute(&mut span.attributes, key, count);
        }
        for event in &mut span.events {
            event.time_unix_nano -= event.time_unix_nano % 1000;
            event.attributes.iter_mut().for_each(arrays_to_json);
            let key = "otel.dropped_attributes_count";
            count_to_attribute(
                &mut event.attributes,
                key,
                &mut event.dropped_attributes_count,
            );
        }
        for link in &mut span.links {
            *link = span::Link {
                trace_id: std::mem::take(&mut link.trace_id),
                span_id: std::mem::take(&mut link.span_id),
                attributes: vec![attribute("opentracing.ref_type", text("follows_from"))],
                ..span::Link::default()
            };
        }
    }
    spans
}

fn attribute(key: &str, value: any_value::Value) -> proto::KeyValue {
    proto::KeyValue {
        key: key.to_owned(),
        value: Some(proto::AnyValue { value: Some(value) }),
        ..proto::KeyValue::default()
    }
}

fn text(text: &str) -> any_value::Value {
    any_value::Value::StringValue(text.to_owned())
}

fn count_to_attribute(attributes: &mut Vec<proto::KeyValue>, key: &str, count: &mut u32) {
    let count = std::mem::take(count);
    if count != 0 {
        attributes.push(attribute(key, any_value::Value::IntValue(count.into())));
    }
}

fn arrays_to_json(attribute: &mut proto::KeyValue) {
    use any_value::Value::{ArrayValue, BoolValue, DoubleValue, IntValue, StringValue};
    let value = &mut attribute.value.as_mut().unwrap().value;
    if let Some(ArrayValue(array)) = value {
        let values = array.values.iter();
        let texts: Vec<_> = values
            .map(|value| match value.value.as_ref().unwrap() {
                BoolValue(value) => serde_json::to_string(value).unwrap(),
                IntValue(value) => serde_json::to_string(value).unwrap(),
                DoubleValue(value) => serde_json::to_string(value).unwrap(),
                StringValue(value) => serde_json::to_string(value).unwrap(),
                other => panic!("{other:?} is not in an array of the SDK"),
            })
            .collect();
        *value = Some(text(&format!("[{}]", texts.join(","))));
    }
}

#[test]
fn no_spans_are_an_empty_request() {
    assert!(request(&[], &UNCUT).is_empty());
}

#[test]
fn a_large_batch_is_framed_whatever_its_first_span_says() {
    let long = SpanData {
        attributes: vec![KeyValue::new("sql", "x".repeat(50_000))],
        ..plain_span()
    };
    for (first, others) in [(long.clone(), plain_span()), (plain_span(), long)] {
        let batch: Vec<_> = std::iter::once(first)
            .chain(std::iter::repeat_n(others, 60))
            .collect();
        assert_eq!(decoded(&batch, &UNCUT), expected(batch, None));
    }
}

#[test]
fn a_span_that_a_clock_made_end_before_its_start_lasts_no_time() {
    let span = SpanData {
        end_time: UNIX_EPOCH,
        ..plain_span()
    };
    let batch = [span];
    for (_, span) in [
        spans_of(decoded(&batch, &UNCUT)),
        read_jaeger(&batch, &UNCUT),
    ]
    .concat()
    {
        assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_000);
        assert_eq!(span.end_time_unix_nano, span.start_time_unix_nano);
    }
}

#[test]
fn times_before_1970_are_1970() {
    let before = UNIX_EPOCH - Duration::from_secs(1);
    let batch = [SpanData {
        start_time: before,
        end_time: before,
        ..plain_span()
    }];
    for (_, span) in [
        spans_of(decoded(&batch, &UNCUT)),
        read_jaeger(&batch, &UNCUT),
    ]
    .concat()
    {
        assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (0, 0));
    }
}

#[test]
fn an_array_of_odd_numbers_is_json_all_the_same() {
    let odd = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0];
    let batch = [SpanData {
        attributes: vec![KeyValue::new("odd", Value::Array(Array::F64(odd)))],
        ..plain_span()
    }];
    let (_, span) = &read_jaeger(&batch, &UNCUT)[0];
    let expected = attribute("odd", text(r#"["NaN","Infinity","-Infinity",1.0]"#));
    assert_eq!(span.attributes, [expected]);
}

#[test]
fn an_attribute_that_is_named_like_a_tag_of_jaeger_stays_one() {
    let batch = [SpanData {
        span_kind: SpanKind::Server,
        status: Status::Ok,
        attributes: vec![
            KeyValue::new("span.kind", "client"),
            KeyValue::new("otel.status_code", "ERROR"),
        ],
        ..plain_span()
    }];
    let (_, span) = &read_jaeger(&batch, &UNCUT)[0];
    assert_eq!(span.kind(), span::SpanKind::Server);
    assert_eq!(span.status.as_ref().unwrap().code, 1);
    let expected = [
        attribute("span.kind", text("client")),
        attribute("otel.status_code", text("ERROR")),
    ];
    assert_eq!(span.attributes, expected);
}

#[test]
fn an_error_is_marked_where_jaeger_looks_for_it() {
    let mut events = SpanEvents::default();
    events.events = vec![Event::new("e", UNIX_EPOCH, Vec::new(), 0)];
    let span = SpanData {
        status: Status::error("no"),
        events,
        ..plain_span()
    };
    let resource = Resource::builder_empty().build();
    let bytes = jaeger::encode(&request(&[span], &UNCUT), "svc", &resource).unwrap();

    let mut written = Thrift::default();
    written.field(12, 1).field(11, 1).text("svc").stop();
    written.list(2, 1);
    written
        .field(10, 1)
        .put(&0x1112_1314_1516_1718u64.to_be_bytes());
    written
        .field(10, 2)
        .put(&0x0102_0304_0506_0708u64.to_be_bytes());
    written
        .field(10, 3)
        .put(&0x2122_2324_2526_2728u64.to_be_bytes());
    written.field(10, 4).put(&[0; 8]);
    written.field(11, 5).text("work");
    written.field(8, 7).put(&[0, 0, 0, 1]);
    written
        .field(10, 8)
        .put(&1_700_000_000_000_000u64.to_be_bytes());
    written.field(10, 9).put(&1_500u64.to_be_bytes());
    written.list(10, 5);
    written.text_tag("otel.scope.name", "tests");
    written.text_tag("span.kind", "internal");
    written.text_tag("otel.status_code", "ERROR");
    written.field(11, 1).text("error");
    written
        .field(8, 2)
        .put(&[0, 0, 0, 2])
        .field(2, 5)
        .put(&[1])
        .stop();
    written.text_tag("otel.status_description", "no");
    written.list(11, 1).field(10, 1).put(&[0; 8]);
    written.list(2, 1).text_tag("event", "e");
    written.stop().stop().stop();
    assert_eq!(bytes, written.0);
}

/// Bytes as Thrift's specification has them, written by hand.
#[derive(Default)]
struct Thrift(Vec<u8>);

impl Thrift {
    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn field(&mut self, kind: u8, id: u8) -> &mut Self {
        self.put(&[kind, 0, id])
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.put(&[0, 0, 0, text.len() as u8]).put(text.as_bytes())
    }

    fn list(&mut self, id: u8, len: u8) -> &mut Self {
        self.field(15, id).put(&[12, 0, 0, 0, len])
    }

    fn text_tag(&mut self, key: &str, value: &str) -> &mut Self {
        self.field(11, 1).text(key).field(8, 2).put(&[0; 4]);
        self.field(11, 3).text(value).stop()
    }

    fn stop(&mut self) -> &mut Self {
        self.put(&[0])
    }
}

#[test]
fn json_is_that_of_the_same_request() {
    let bytes = request(&[plain_span()], &UNCUT);
    let json: serde_json::Value = serde_json::from_slice(&otlp_json(&bytes).unwrap()).unwrap();
    let group = &json["resourceSpans"][0];
    assert_eq!(group["schemaUrl"], "https://example.com/schema");
    let span = &group["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "01020304050607081112131415161718");
    assert_eq!(span["name"], "work");
    assert!(otlp_json(&[0xff]).is_err());
}
