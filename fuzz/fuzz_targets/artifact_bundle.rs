//! A bundle as clients upload it: header, archive, manifest, files.

#![no_main]

use backtrail_fuzz::artifact_bundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| artifact_bundle(bytes));
