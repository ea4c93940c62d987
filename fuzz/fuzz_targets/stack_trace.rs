//! Stack traces of all engines.

#![no_main]

use backtrail_fuzz::stack_trace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| stack_trace(text));
