//! Statements of databases of all kinds, and what their spans tell of them.

#![no_main]

use backtrail_fuzz::sanitized;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| sanitized(data));
