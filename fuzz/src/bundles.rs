//! Bundles that clients upload.

use artifacts::{BundleLimits, Manifest, check_bundle};

/// Reads a bundle to its last byte, within small limits.
pub fn artifact_bundle(bytes: &[u8]) {
    let limits = BundleLimits {
        inflated_bytes: 8 << 20,
        file_bytes: 4 << 20,
        entries: 100,
        ..BundleLimits::default()
    };
    if let Ok(manifest) = check_bundle(bytes, &limits) {
        assert!(manifest.files.len() as u64 <= limits.entries);
    }
}

/// Reads a manifest; what is read has limits, and its files are in order and all different.
pub fn bundle_manifest(bytes: &[u8]) {
    let limits = BundleLimits::default();
    if let Ok(manifest) = Manifest::parse(bytes, &limits) {
        assert!(manifest.files.is_sorted_by(|a, b| a.path < b.path));
        for file in &manifest.files {
            assert!(file.path.len() <= limits.text_bytes && file.url.len() <= limits.text_bytes);
            assert!(file.headers.len() <= limits.headers);
        }
    }
}
