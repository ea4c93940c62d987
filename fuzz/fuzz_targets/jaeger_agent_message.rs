//! Messages to Jaeger's agent, in either Thrift protocol.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::JaegerAgentMessage, body));
