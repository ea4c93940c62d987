//! Zipkin's spans of version 1 as Thrift.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::ZipkinThrift, body));
