//! `proto/descriptor.bin` is what its README says.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

use std::path::Path;

use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

#[test]
fn reflection_serves_the_descriptors_of_otlp() {
    let mut set = FileDescriptorSet::decode(opentelemetry_proto::DESCRIPTORS).unwrap();
    set.file.retain(|file| {
        [
            "opentelemetry/proto/common/v1/common.proto",
            "opentelemetry/proto/resource/v1/resource.proto",
            "opentelemetry/proto/trace/v1/trace.proto",
            "opentelemetry/proto/collector/trace/v1/trace_service.proto",
            "opentelemetry/proto/logs/v1/logs.proto",
            "opentelemetry/proto/collector/logs/v1/logs_service.proto",
            "opentelemetry/proto/metrics/v1/metrics.proto",
            "opentelemetry/proto/collector/metrics/v1/metrics_service.proto",
        ]
        .contains(&file.name())
    });
    assert_eq!(set.file.len(), 8);

    let expected = set.encode_to_vec();
    let committed = std::fs::read("proto/descriptor.bin");
    if committed.is_ok_and(|bytes| bytes == expected) {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("descriptor.bin");
    std::fs::write(&fresh, expected).unwrap();
    panic!("copy {} to crates/server/proto", fresh.display());
}

/// The methods that a set describes, each of whose imports is in it.
fn methods(committed: &[u8]) -> Vec<String> {
    let set = FileDescriptorSet::decode(committed).unwrap();
    let files: Vec<&str> = set.file.iter().map(FileDescriptorProto::name).collect();
    for file in &set.file {
        for import in &file.dependency {
            assert!(files.contains(&import.as_str()), "{import} is missing");
        }
    }
    let mut methods = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let stream = if method.server_streaming() {
                    " stream"
                } else {
                    ""
                };
                methods.push(format!(
                    "{}.{}/{}{stream}",
                    file.package(),
                    service.name(),
                    method.name()
                ));
            }
        }
    }
    methods.sort();
    methods
}

#[test]
fn reflection_serves_the_descriptors_of_jaegers_collector() {
    assert_eq!(
        methods(include_bytes!("../proto/jaeger_collector.bin")),
        [
            "jaeger.api_v2.CollectorService/PostSpans",
            "jaeger.api_v2.SamplingManager/GetSamplingStrategy",
        ]
    );
}

#[test]
fn reflection_serves_the_descriptors_of_jaegers_query_services() {
    assert_eq!(
        methods(include_bytes!("../proto/jaeger.bin")),
        [
            "jaeger.api_v2.QueryService/ArchiveTrace",
            "jaeger.api_v2.QueryService/FindTraces stream",
            "jaeger.api_v2.QueryService/GetDependencies",
            "jaeger.api_v2.QueryService/GetOperations",
            "jaeger.api_v2.QueryService/GetServices",
            "jaeger.api_v2.QueryService/GetTrace stream",
            "jaeger.api_v3.Capabilities/GetCapabilities",
            "jaeger.api_v3.QueryService/FindTraceSummaries stream",
            "jaeger.api_v3.QueryService/FindTraces stream",
            "jaeger.api_v3.QueryService/GetDependencies",
            "jaeger.api_v3.QueryService/GetOperations",
            "jaeger.api_v3.QueryService/GetServices",
            "jaeger.api_v3.QueryService/GetTrace stream",
        ]
    );
}
