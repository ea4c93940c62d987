//! The manifest of a bundle, which few changes of an archive's bytes would reach.

#![no_main]

use backtrail_fuzz::bundle_manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| bundle_manifest(bytes));
