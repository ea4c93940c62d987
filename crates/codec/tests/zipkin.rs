//! Zipkin's spans come out as they went in, whatever they were written in.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod zipkin_spans;

use backtrail_wire::zipkin::from_otlp;
use bytes::Bytes;
use codec::{Decoded, Encoding, decode};
use model::Limits;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::Index;
use prost::Message as _;
use serde_json::{Value, json};
use zipkin_spans::{SpanSpec, span_spec};

const RECEIVED_UNIX_NANO: u64 = 1_767_225_600_000_000_000;

fn decoded(encoding: Encoding, body: impl Into<Bytes>) -> Decoded {
    decode(
        encoding,
        body.into(),
        &Limits::default(),
        RECEIVED_UNIX_NANO,
    )
    .unwrap()
}

/// The spans as they are read back: those of one service stand together.
fn read_back(decoded: &Decoded) -> Vec<Value> {
    let kept = decoded.batch.to_otlp().unwrap();
    assert_eq!(decoded.rejected.to_string(), "0 spans rejected ()");
    serde_json::from_slice(&from_otlp(&kept).unwrap()).unwrap()
}

fn sorted(mut spans: Vec<Value>) -> Vec<Value> {
    spans.sort_by_cached_key(ToString::to_string);
    spans
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn spans_in_json_come_out_as_they_went_in(spans in vec(span_spec(), 1..5)) {
        let body = serde_json::to_vec(&spans.iter().map(SpanSpec::json).collect::<Vec<_>>()).unwrap();
        let expected = spans.iter().map(SpanSpec::normal_json).collect();
        assert_eq!(sorted(read_back(&decoded(Encoding::ZipkinJsonV2, body))), sorted(expected));
    }

    #[test]
    fn spans_in_protobuf_come_out_as_they_went_in(spans in vec(span_spec(), 1..5)) {
        let body = zipkin_spans::ListOfSpans { spans: spans.iter().map(SpanSpec::protobuf).collect() };
        let expected = spans.iter().map(SpanSpec::normal_json).collect();
        let decoded = decoded(Encoding::ZipkinProtobuf, body.encode_to_vec());
        assert_eq!(sorted(read_back(&decoded)), sorted(expected));
    }

    #[test]
    fn damaged_requests_have_an_answer_of_a_bounded_size(
        spans in vec(span_spec(), 1..4),
        as_json in any::<bool>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let (encoding, mut body) = if as_json {
            let json: Vec<Value> = spans.iter().map(SpanSpec::json).collect();
            (Encoding::ZipkinJsonV2, serde_json::to_vec(&json).unwrap())
        } else {
            let spans = spans.iter().map(SpanSpec::protobuf).collect();
            (Encoding::ZipkinProtobuf, zipkin_spans::ListOfSpans { spans }.encode_to_vec())
        };
        for (at, value) in changes {
            let at = at.index(body.len());
            body[at] = value;
        }
        let len_bytes = body.len();
        if let Ok(decoded) = decode(encoding, body.into(), &Limits::default(), RECEIVED_UNIX_NANO) {
            assert_eq!(decoded.received, decoded.batch.len() + decoded.rejected.count());
            assert!(decoded.payload.len() <= 200 + 10 * len_bytes);
            let kept = decoded.batch.to_otlp().unwrap();
            let written: Vec<Value> = serde_json::from_slice(&from_otlp(&kept).unwrap()).unwrap();
            assert_eq!(written.len(), decoded.batch.len());
        }
    }
}

fn one(span: &Value) -> Decoded {
    decoded(Encoding::ZipkinJsonV2, json!([span]).to_string())
}

#[test]
fn what_is_written_in_many_ways_is_read() {
    let decoded = one(&json!({
        "traceId": "0000000000000000ABCDEF",
        "id": "F",
        "parentId": null,
        "timestamp": "1472470996199000",
        "duration": 207_000.9,
        "name": null,
        "localEndpoint": { "serviceName": "Shop", "ipv4": "::ffff:192.0.2.1", "port": "8080" },
        "remoteEndpoint": { "ipv4": "no address", "port": -1 },
        "tags": { "count": 3, "is": true, "nothing": null, "list": [1, "a"] },
        "debug": "true",
        "shared": false,
        "unknown": { "a": [{}] },
    }));
    let expected = json!({
        "traceId": "0000000000abcdef",
        "id": "000000000000000f",
        "timestamp": 1_472_470_996_199_000_u64,
        "duration": 207_000,
        "localEndpoint": { "serviceName": "Shop", "ipv4": "192.0.2.1", "port": 8080 },
        "tags": { "count": "3", "is": "true", "list": "[1,\"a\"]" },
        "debug": true,
    });
    assert_eq!(read_back(&decoded), [expected]);
}

#[test]
fn a_span_without_a_time_starts_with_its_trace() {
    let spans = json!([
        { "traceId": "1", "id": "1" },
        { "traceId": "1", "id": "2", "timestamp": 5000, "duration": 9 },
        { "traceId": "1", "id": "3", "annotations": [
            { "timestamp": 7000, "value": "later" }, { "timestamp": 4000, "value": "first" }
        ] },
        { "traceId": "2", "id": "4", "duration": 3 },
        // Of its parent, and of the other half of its id.
        { "traceId": "1", "id": "6", "parentId": "2" },
        { "traceId": "1", "id": "2", "parentId": "3", "shared": true },
        // Its fields take more than 127 bytes, so that its length takes two.
        { "traceId": "1", "id": "5", "name": "x".repeat(300) },
    ]);
    let decoded = decoded(Encoding::ZipkinJsonV2, spans.to_string());
    let columns = decoded.batch.columns();
    let times: Vec<(u8, u64, u64)> = (0..columns.len())
        .map(|row| {
            let (start, end) = (columns.starts.value(row), columns.ends.value(row));
            (columns.span_id(row).0[7], start, end)
        })
        .collect();
    let received = RECEIVED_UNIX_NANO;
    assert_eq!(
        times,
        [
            (1, 4_000_000, 4_000_000),
            (2, 5_000_000, 5_009_000),
            (3, 4_000_000, 4_000_000),
            (4, received, received + 3000),
            (6, 5_000_000, 5_000_000),
            (2, 5_000_000, 5_000_000),
            (5, 4_000_000, 4_000_000),
        ]
    );
    for span in read_back(&decoded) {
        let is_timed = span.get("duration") == Some(&json!(9));
        assert_eq!(span.get("timestamp").is_some(), is_timed);
    }
}
