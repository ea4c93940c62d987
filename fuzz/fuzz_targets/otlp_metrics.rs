//! OTLP's metrics, as far as they are looked into. The first byte chooses protobuf or JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| backtrail_fuzz::metrics(data));
