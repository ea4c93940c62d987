//! A source map in JSON, and the same bytes as a bundle.

#![no_main]

use backtrail_fuzz::source_map;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| source_map(bytes));
