//! Zipkin's spans of version 1 as JSON.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::ZipkinJsonV1, body));
