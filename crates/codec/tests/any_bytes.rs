//! Decoders are total: whatever comes in, there is an answer, and what is accepted can be kept and read again.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod generate;

use backtrail_wire::otlp_json;
use bytes::Bytes;
use codec::{Encoding, decode};
use generate::Entropy;
use model::{Limits, SpanBatch};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::sample::{Index, select};
use prost::Message as _;

const ENCODINGS: [Encoding; 11] = [
    Encoding::OtlpProtobuf,
    Encoding::OtlpJson,
    Encoding::JaegerThriftBinary,
    Encoding::JaegerThriftCompact,
    Encoding::JaegerAgentMessage,
    Encoding::JaegerProtobuf,
    Encoding::ZipkinJsonV2,
    Encoding::ZipkinProtobuf,
    Encoding::ZipkinJsonV1,
    Encoding::ZipkinThrift,
    Encoding::JaegerJson,
];

/// What must hold of whatever is accepted.
fn check(encoding: Encoding, body: Vec<u8>) {
    let body_len = body.len();
    let Ok(decoded) = decode(encoding, Bytes::from(body), &Limits::default(), 0) else {
        return;
    };
    assert_eq!(
        decoded.received,
        decoded.batch.len() + decoded.rejected.count()
    );
    assert!(
        decoded.payload.len() <= 200 + 10 * body_len,
        "{} bytes of {body_len}",
        decoded.payload.len()
    );
    let replayed = SpanBatch::from_otlp(&decoded.payload).unwrap();
    let kept = decoded.batch.to_otlp().unwrap();
    assert_eq!(replayed.to_otlp().unwrap(), kept);

    let again = decode(
        Encoding::OtlpProtobuf,
        Bytes::from(kept.clone()),
        &Limits::default(),
        0,
    )
    .unwrap();
    assert!(
        again.rejected.is_empty(),
        "what was admitted is admitted again: {}",
        again.rejected
    );
    let json = otlp_json::from_protobuf(&kept).unwrap();
    let from_json = decode(Encoding::OtlpJson, Bytes::from(json), &Limits::default(), 0).unwrap();
    assert!(
        from_json.rejected.is_empty(),
        "and as JSON: {}",
        from_json.rejected
    );
    assert_eq!(from_json.batch.len(), decoded.batch.len());
}

/// Bodies of real clients, to be damaged.
const FIXTURES: [(&str, Encoding); 6] = [
    ("node-0.223.0-otlp-json.json", Encoding::OtlpJson),
    ("node-0.223.0-otlp-protobuf.bin", Encoding::OtlpProtobuf),
    ("python-1.45.2-otlp-protobuf.bin", Encoding::OtlpProtobuf),
    (
        "node-jaeger-exporter-1.30.1-thrift-binary.bin",
        Encoding::JaegerThriftBinary,
    ),
    (
        "python-thrift-0.25.0-jaeger-binary.bin",
        Encoding::JaegerThriftBinary,
    ),
    (
        "python-thrift-0.25.0-jaeger-compact.bin",
        Encoding::JaegerThriftCompact,
    ),
];

/// Overwrites, removes or repeats bytes.
fn damage(body: &mut Vec<u8>, changes: Vec<(u8, Index, u8, u8)>) {
    for (kind, at, value, len) in changes {
        if body.is_empty() {
            return;
        }
        let at = at.index(body.len());
        let end = (at + usize::from(len)).min(body.len());
        match kind % 4 {
            0 => body[at] = value,
            1 => body[at] ^= 1 << (value % 8),
            2 => drop(body.drain(at..end)),
            _ => body.extend_from_within(at..end),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_have_an_answer(encoding in select(ENCODINGS.to_vec()), body in vec(any::<u8>(), 0..400)) {
        check(encoding, body);
    }

    #[test]
    fn damaged_bodies_of_real_clients_have_an_answer(
        fixture in select(FIXTURES.to_vec()),
        changes in vec((any::<u8>(), any::<Index>(), any::<u8>(), any::<u8>()), 1..6),
    ) {
        let (name, encoding) = fixture;
        let path = format!("tests/fixtures/{name}");
        let mut body = std::fs::read(path).unwrap();
        damage(&mut body, changes);
        check(encoding, body);
    }

    #[test]
    fn damaged_requests_of_every_shape_have_an_answer(
        entropy in vec(any::<u8>(), 0..600),
        as_json in any::<bool>(),
        changes in vec((any::<u8>(), any::<Index>(), any::<u8>(), any::<u8>()), 0..6),
    ) {
        let mut entropy = Entropy::new(&entropy);
        entropy.invalid = true;
        let request = entropy.request();
        let (encoding, mut body) = if as_json {
            (Encoding::OtlpJson, serde_json::to_vec(&request).unwrap())
        } else {
            (Encoding::OtlpProtobuf, request.encode_to_vec())
        };
        damage(&mut body, changes);
        check(encoding, body);
    }
}
