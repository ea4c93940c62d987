#![no_main]

use codec::Encoding;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| fuzz::check(Encoding::JaegerThriftBinary, body));
