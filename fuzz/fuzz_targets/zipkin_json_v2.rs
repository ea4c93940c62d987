//! Zipkin's spans of version 2 as JSON.

#![no_main]

use backtrail_fuzz::decoded;
use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| decoded(Encoding::ZipkinJsonV2, body));
