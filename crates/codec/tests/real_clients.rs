//! The bytes of real clients, read and shown as OTLP/JSON.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use backtrail_wire::otlp_json;
use bytes::Bytes;
use codec::{Encoding, decode};
use model::Limits;

fn fixture(name: &str) -> Bytes {
    let path = format!("tests/fixtures/{name}");
    std::fs::read(&path).expect(&path).into()
}

/// What the server keeps of the body, written out again.
fn kept(encoding: Encoding, name: &str) -> serde_json::Value {
    let decoded = decode(encoding, fixture(name), &Limits::default(), 0).unwrap();
    assert_eq!(decoded.rejected.examples(), [""; 0]);
    assert_eq!(decoded.received, decoded.batch.len());
    let protobuf = decoded.batch.to_otlp().unwrap();
    serde_json::from_slice(&otlp_json::from_protobuf(&protobuf).unwrap()).unwrap()
}

macro_rules! snapshot {
    ($name:literal, $encoding:ident, $fixture:literal) => {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_json_snapshot!($name, kept(Encoding::$encoding, $fixture));
        });
    };
}

#[test]
fn node_otlp_protobuf() {
    snapshot!(
        "node-otlp-protobuf",
        OtlpProtobuf,
        "node-0.223.0-otlp-protobuf.bin"
    );
    assert_eq!(
        kept(Encoding::OtlpProtobuf, "node-0.223.0-otlp-protobuf.bin"),
        kept(Encoding::OtlpProtobuf, "node-0.223.0-otlp-grpc-message.bin"),
        "over gRPC it sends the same"
    );
}

#[test]
fn node_otlp_json() {
    snapshot!("node-otlp-json", OtlpJson, "node-0.223.0-otlp-json.json");
}

#[test]
fn node_jaeger_exporter() {
    snapshot!(
        "node-jaeger-exporter",
        JaegerThriftBinary,
        "node-jaeger-exporter-1.30.1-thrift-binary.bin"
    );
}

#[test]
fn python_otlp() {
    snapshot!(
        "python-otlp-protobuf",
        OtlpProtobuf,
        "python-1.45.2-otlp-protobuf.bin"
    );
    assert_eq!(
        kept(Encoding::OtlpProtobuf, "python-1.45.2-otlp-protobuf.bin"),
        kept(
            Encoding::OtlpProtobuf,
            "python-1.45.2-otlp-grpc-message.bin"
        ),
        "over gRPC it sends the same"
    );
}

#[test]
fn python_thrift() {
    snapshot!(
        "python-thrift",
        JaegerThriftBinary,
        "python-thrift-0.25.0-jaeger-binary.bin"
    );
    assert_eq!(
        kept(
            Encoding::JaegerThriftBinary,
            "python-thrift-0.25.0-jaeger-binary.bin"
        ),
        kept(
            Encoding::JaegerThriftCompact,
            "python-thrift-0.25.0-jaeger-compact.bin"
        ),
        "both protocols say the same"
    );
}

#[test]
fn thrift_protocols_are_told_apart() {
    for (name, encoding) in [
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
    ] {
        assert_eq!(Encoding::sniff_thrift(&fixture(name)), encoding, "{name}");
    }
}

#[test]
fn a_protobuf_body_that_is_admitted_whole_is_kept_as_it_is() {
    let body = fixture("python-1.45.2-otlp-protobuf.bin");
    let decoded = decode(Encoding::OtlpProtobuf, body.clone(), &Limits::default(), 0).unwrap();
    assert_eq!(
        decoded.payload.as_ptr(),
        body.as_ptr(),
        "not even a copy is made"
    );
    assert_eq!(decoded.payload, body);
}

#[test]
fn a_body_that_is_cut_anywhere_is_refused_or_loses_only_whole_groups() {
    for (name, encoding) in [
        ("node-0.223.0-otlp-json.json", Encoding::OtlpJson),
        ("node-0.223.0-otlp-protobuf.bin", Encoding::OtlpProtobuf),
        ("python-1.45.2-otlp-protobuf.bin", Encoding::OtlpProtobuf),
        (
            "node-jaeger-exporter-1.30.1-thrift-binary.bin",
            Encoding::JaegerThriftBinary,
        ),
        (
            "python-thrift-0.25.0-jaeger-compact.bin",
            Encoding::JaegerThriftCompact,
        ),
    ] {
        let body = fixture(name);
        for len in 0..body.len() {
            let cut = decode(encoding, body.slice(..len), &Limits::default(), 0);
            // These bodies hold one group, so only the empty protobuf message is one.
            let is_message = encoding == Encoding::OtlpProtobuf && len == 0;
            assert_eq!(cut.is_ok(), is_message, "{name} cut at {len}");
        }
    }
}
