//! `proto/descriptor.bin` is what its README says.

use std::path::Path;

use prost::Message;
use prost_types::FileDescriptorSet;

#[test]
fn reflection_serves_the_descriptors_of_otlp_traces() {
    let mut set = FileDescriptorSet::decode(opentelemetry_proto::DESCRIPTORS).unwrap();
    set.file.retain(|file| {
        [
            "opentelemetry/proto/common/v1/common.proto",
            "opentelemetry/proto/resource/v1/resource.proto",
            "opentelemetry/proto/trace/v1/trace.proto",
            "opentelemetry/proto/collector/trace/v1/trace_service.proto",
        ]
        .contains(&file.name())
    });
    assert_eq!(set.file.len(), 4);

    let expected = set.encode_to_vec();
    let committed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/descriptor.bin"));
    if committed.is_ok_and(|bytes| bytes == expected) {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("descriptor.bin");
    std::fs::write(&fresh, expected).unwrap();
    panic!("copy {} to crates/server/proto", fresh.display());
}
