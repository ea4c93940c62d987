use std::io::Read as _;

use backtrail::Exporter;
use backtrail_wire::jaeger_thrift::{Encoding, to_otlp};
use backtrail_wire::otlp::SpanLimits;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;

use crate::collector::{Collector, span_names};
use crate::{described, export, system_of, trace};

fn gunzipped(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn names_in(protobuf: &[u8]) -> Vec<String> {
    span_names(&ExportTraceServiceRequest::decode(protobuf).unwrap())
}

#[test]
fn otlp_over_http_is_protobuf_unless_told_otherwise() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.path, "/v1/traces");
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
    assert!(
        request.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("OTel-OTLP-Exporter-Rust/")
    );
    let otlp = request.otlp();
    let resource = otlp.resource_spans[0].resource.as_ref().unwrap();
    let has_name = resource
        .attributes
        .iter()
        .any(|attribute| attribute.key == "service.name");
    assert!(has_name, "{resource:?}");
    assert_eq!(request.span_names(), ["checkout"]);
    assert_eq!(tracing.stats().exported, 1);
}

#[test]
fn otlp_over_http_may_be_json() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.path, "/v1/traces");
    assert_eq!(request.headers["content-type"], "application/json");
    let json: Value = serde_json::from_slice(&request.body).unwrap();
    let span = &json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["name"], "checkout");
    assert_eq!(span["traceId"].as_str().unwrap().len(), 32);
}

#[test]
fn otlp_over_grpc_is_a_unary_call() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(
        request.path,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    );
    assert_eq!(request.headers["content-type"], "application/grpc");
    assert_eq!(request.headers["te"], "trailers");
    assert_eq!(request.headers["grpc-timeout"], "10000m");
    assert_eq!(request.body[0], 0, "it is not compressed");
    assert_eq!(names_in(&request.body[5..]), ["checkout"]);
}

#[test]
fn jaeger_is_thrift_over_http() {
    let collector = Collector::start();
    let endpoint = format!("{}/api/traces", collector.url());
    let tracing = crate::system(&[("JAEGER_ENDPOINT", &endpoint)]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.path, "/api/traces");
    assert_eq!(
        request.headers["content-type"],
        "application/vnd.apache.thrift.binary"
    );
    let limits = SpanLimits {
        max_value_depth: 32,
        max_span_bytes: 1 << 20,
    };
    let transcoded = to_otlp(&request.body, Encoding::Binary, &limits).unwrap();
    assert_eq!(names_in(&transcoded.protobuf), ["checkout"]);
}

#[test]
fn zipkin_is_json() {
    let collector = Collector::start();
    let endpoint = format!("{}/api/v2/spans", collector.url());
    let tracing = crate::system(&[
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", &endpoint),
    ]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.path, "/api/v2/spans");
    let json: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(json[0]["name"], "checkout");
    assert_eq!(json[0]["localEndpoint"]["serviceName"], "shop");
}

#[test]
fn requests_are_compressed_when_asked_for() {
    let collector = Collector::start();
    let gzip = ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    let tracing = system_of(&collector, &[gzip]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.headers["content-encoding"], "gzip");
    assert_eq!(names_in(&gunzipped(&request.body)), ["checkout"]);

    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let tracing = system_of(&collector, &[gzip, grpc]);
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.headers["grpc-encoding"], "gzip");
    assert_eq!(request.body[0], 1, "it is compressed");
    assert_eq!(names_in(&gunzipped(&request.body[5..])), ["checkout"]);
}

#[test]
fn headers_of_the_environment_go_along_and_code_goes_before_them() {
    let collector = Collector::start();
    let headers = (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "authorization=Bearer%20secret,x-team=shop",
    );
    assert_eq!(export(&system_of(&collector, &[headers])), Ok(()));
    let request = collector.next();
    assert_eq!(request.headers["authorization"], "Bearer secret");
    assert_eq!(request.headers["x-team"], "shop");

    let exporter = Exporter::otlp_http(collector.url()).header("x-team", "till");
    let tracing = described(&[headers])
        .exporter(exporter)
        .initialize()
        .unwrap();
    assert_eq!(export(&tracing), Ok(()));
    let request = collector.next();
    assert_eq!(request.headers["authorization"], "Bearer secret");
    assert_eq!(request.headers["x-team"], "till");
}

#[test]
fn a_user_and_a_password_in_the_address_are_a_header_and_never_told() {
    let collector = Collector::start();
    let endpoint = format!("http://ann:s%40cret@{}", collector.address);
    let in_variable = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    for protocol in ["http/protobuf", "grpc"] {
        let env = [in_variable[0], ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)];
        let tracing = crate::system(&env);
        assert_eq!(export(&tracing), Ok(()));
        let request = collector.next();
        assert_eq!(request.headers["authorization"], "Basic YW5uOnNAY3JldA==");
        let host = request
            .headers
            .get("host")
            .map(|host| host.to_str().unwrap());
        assert!(host.is_none_or(|host| !host.contains('@')), "{host:?}");
        assert!(!format!("{tracing:?}").contains("cret"), "{tracing:?}");
    }
    let header = (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "authorization=Bearer%20secret",
    );
    assert_eq!(export(&crate::system(&[in_variable[0], header])), Ok(()));
    assert_eq!(collector.next().headers["authorization"], "Bearer secret");

    for exporter in [Exporter::jaeger(&endpoint), Exporter::zipkin(&endpoint)] {
        let tracing = described(&[]).exporter(exporter).initialize().unwrap();
        assert_eq!(export(&tracing), Ok(()));
        let request = collector.next();
        assert_eq!(request.headers["authorization"], "Basic YW5uOnNAY3JldA==");
    }
}

#[test]
fn every_span_of_many_batches_arrives() {
    let collector = Collector::start();
    let tracing = system_of(&collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "100000")]);
    for _ in 0..5_000 {
        trace(&tracing, "checkout");
    }
    assert_eq!(tracing.shutdown_within(crate::PATIENCE), Ok(()));
    assert_eq!(collector.span_names().len(), 5_000);
    let stats = tracing.stats();
    assert_eq!((stats.exported, stats.lost()), (5_000, 0));
}
