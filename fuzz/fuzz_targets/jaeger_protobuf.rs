//! `PostSpansRequest`s of Jaeger's protobuf model.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::JaegerProtobuf, body));
