//! Compressed bodies.

#![no_main]

use backtrail_fuzz::inflated;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| inflated(data));
