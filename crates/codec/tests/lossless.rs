//! A span read back as OTLP equals what was sent. The requests are written by `prost` and `serde` from the types of `opentelemetry-proto`, and what comes
//! back is read by `prost`, so no code of ours checks itself.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod generate;

use bytes::Bytes;
use codec::{Decoded, Encoding, decode};
use generate::Entropy;
use model::{Limits, SpanBatch};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, TracesData};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use prost::Message as _;

type Context = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Each span with the resource and scope that it is sent with, in order. As bytes, for NaN is not equal to itself.
fn spans_with_context(request: &TracesData) -> Vec<Context> {
    let mut spans = Vec::new();
    for resource_spans in &request.resource_spans {
        let resource = ResourceSpans {
            scope_spans: vec![],
            ..resource_spans.clone()
        };
        for scope_spans in &resource_spans.scope_spans {
            let scope = ScopeSpans {
                spans: vec![],
                ..scope_spans.clone()
            };
            for span in &scope_spans.spans {
                spans.push((
                    resource.encode_to_vec(),
                    scope.encode_to_vec(),
                    span.encode_to_vec(),
                ));
            }
        }
    }
    spans
}

fn decode_all(encoding: Encoding, body: Vec<u8>) -> Decoded {
    let decoded = decode(encoding, Bytes::from(body), &Limits::default(), 0).unwrap();
    assert_eq!(decoded.rejected.examples(), [""; 0]);
    assert_eq!(decoded.received, decoded.batch.len());
    decoded
}

/// What the batch says, what the log keeps, and what replay makes of that.
fn read_back(decoded: &Decoded) -> [Vec<Context>; 3] {
    let replayed = SpanBatch::from_otlp(&decoded.payload).unwrap();
    [
        decoded.batch.to_otlp().unwrap(),
        decoded.payload.to_vec(),
        replayed.to_otlp().unwrap(),
    ]
    .map(|protobuf| spans_with_context(&TracesData::decode(&*protobuf).unwrap()))
}

/// OTLP's rules, once more.
fn is_valid(span: &Span) -> bool {
    let is_id = |id: &[u8], len| id.len() == len && id.iter().any(|byte| *byte != 0);
    is_id(&span.trace_id, 16)
        && is_id(&span.span_id, 8)
        && [0, 8].contains(&span.parent_span_id.len())
        && (span.end_time_unix_nano == 0 || span.end_time_unix_nano >= span.start_time_unix_nano)
        && (span.links.iter()).all(|link| (link.trace_id.len(), link.span_id.len()) == (16, 8))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn parts_are_bounded_and_the_whole_together(bytes in vec(any::<u8>(), 0..2000), max_bytes in 1_usize..3000) {
        let request = Entropy::new(&bytes).request();
        let batch = decode_all(Encoding::OtlpProtobuf, request.encode_to_vec()).batch;
        let parts = batch.to_otlp_parts(max_bytes).unwrap();
        let largest_span = (0..batch.len()).map(|row| {
            let mut span = Vec::new();
            batch.columns().put_span(row, &mut span).unwrap();
            span.len() + batch.columns().resource(row).len() + batch.columns().scope(row).len()
        }).max().unwrap_or_default();
        // A field's tag and length, for each level of three.
        let framing = 3 * 6;
        for part in &parts {
            prop_assert!(part.len() < max_bytes + largest_span + framing);
        }
        let whole = TracesData::decode(&*batch.to_otlp().unwrap()).unwrap();
        let together = TracesData::decode(&*parts.concat()).unwrap();
        prop_assert_eq!(spans_with_context(&together), spans_with_context(&whole));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn protobuf_is_kept_without_loss(bytes in vec(any::<u8>(), 0..800)) {
        let request = Entropy::new(&bytes).request();
        let sent = spans_with_context(&request);
        let decoded = decode_all(Encoding::OtlpProtobuf, request.encode_to_vec());
        for kept in read_back(&decoded) {
            prop_assert_eq!(&kept, &sent);
        }
    }

    #[test]
    fn json_is_kept_without_loss(bytes in vec(any::<u8>(), 0..800)) {
        let mut entropy = Entropy::new(&bytes);
        entropy.non_finite = false;
        let request = entropy.request();
        let sent = spans_with_context(&request);
        let decoded = decode_all(Encoding::OtlpJson, serde_json::to_vec(&request).unwrap());
        for kept in read_back(&decoded) {
            prop_assert_eq!(&kept, &sent);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_as_json_reads_as_the_same_in_another_reader(bytes in vec(any::<u8>(), 0..800)) {
        let mut entropy = Entropy::new(&bytes);
        entropy.non_finite = false;
        let request = entropy.request();
        let json = backtrail_wire::otlp_json::from_protobuf(&request.encode_to_vec()).unwrap();
        let read: TracesData = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(read, request_with_values(request));
    }

    #[test]
    fn exactly_the_valid_spans_of_a_request_are_kept(bytes in vec(any::<u8>(), 0..800)) {
        let mut entropy = Entropy::new(&bytes);
        entropy.invalid = true;
        entropy.non_finite = false;
        let request = entropy.request();
        let received = spans_with_context(&request).len();
        let mut valid = request.clone();
        for resource_spans in &mut valid.resource_spans {
            for scope_spans in &mut resource_spans.scope_spans {
                scope_spans.spans.retain(is_valid);
            }
        }
        let valid = spans_with_context(&valid);
        for (encoding, body) in [
            (Encoding::OtlpProtobuf, request.encode_to_vec()),
            (Encoding::OtlpJson, serde_json::to_vec(&request).unwrap()),
        ] {
            let decoded = decode(encoding, body.into(), &Limits::default(), 0).unwrap();
            prop_assert_eq!(decoded.received, received);
            prop_assert_eq!(decoded.rejected.count(), received - valid.len());
            for kept in read_back(&decoded) {
                prop_assert_eq!(&kept, &valid);
            }
        }
    }
}

/// An attribute without a value and one with an empty value are the same to OTLP; in JSON the latter is written.
fn request_with_values(mut request: TracesData) -> TracesData {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

    fn fill(attributes: &mut [KeyValue]) {
        for attribute in attributes {
            fill_value(attribute.value.get_or_insert_default());
        }
    }
    fn fill_value(value: &mut AnyValue) {
        match &mut value.value {
            Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(fill_value),
            Some(Value::KvlistValue(map)) => fill(&mut map.values),
            _ => {}
        }
    }
    for resource_spans in &mut request.resource_spans {
        (resource_spans.resource.iter_mut()).for_each(|resource| fill(&mut resource.attributes));
        for scope_spans in &mut resource_spans.scope_spans {
            (scope_spans.scope.iter_mut()).for_each(|scope| fill(&mut scope.attributes));
            for span in &mut scope_spans.spans {
                fill(&mut span.attributes);
                (span.events.iter_mut()).for_each(|event| fill(&mut event.attributes));
                (span.links.iter_mut()).for_each(|link| fill(&mut link.attributes));
            }
        }
    }
    request
}
