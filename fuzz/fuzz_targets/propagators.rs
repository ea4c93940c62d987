//! Headers of any request, in every format that carries a trace.

#![no_main]

use backtrail_fuzz::propagated;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| propagated(data));
