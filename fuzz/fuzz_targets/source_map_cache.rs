//! A source map cache whose bytes are anyone's.

#![no_main]

use backtrail_fuzz::source_map_cache;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| source_map_cache(bytes));
