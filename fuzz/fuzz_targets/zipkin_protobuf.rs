//! Zipkin's spans of version 2 as protobuf.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::ZipkinProtobuf, body));
