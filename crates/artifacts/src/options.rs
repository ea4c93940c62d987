//! Settings of a store. Nothing here is written into files: each start may choose anew.

use std::time::Duration;

/// What one bundle may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleLimits {
    /// Bytes of a bundle as it is sent.
    pub bundle_bytes: u64,
    /// Bytes of all its files together when they are inflated.
    pub inflated_bytes: u64,
    /// Bytes of one file when it is inflated.
    pub file_bytes: u64,
    /// How many times larger than its compressed bytes a file may be, once it is larger than [`ratio_from_bytes`](Self::ratio_from_bytes).
    pub ratio: u64,
    /// Up to this size a file may be compressed however well.
    pub ratio_from_bytes: u64,
    /// Entries of the archive, whether its manifest names them or not.
    pub entries: u64,
    /// Bytes of the manifest when it is inflated.
    pub manifest_bytes: u64,
    /// Bytes of a path, an address or a header's value.
    pub text_bytes: usize,
    /// Headers of one file.
    pub headers: usize,
}

impl Default for BundleLimits {
    fn default() -> Self {
        Self {
            bundle_bytes: 512 << 20,
            inflated_bytes: 2 << 30,
            file_bytes: 256 << 20,
            ratio: 300,
            ratio_from_bytes: 4 << 20,
            entries: 20_000,
            manifest_bytes: 16 << 20,
            text_bytes: 4096,
            headers: 32,
        }
    }
}

/// What may be kept. Files count with their length as the client has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Bytes of all files of an organisation.
    pub organisation_bytes: u64,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Bundles and single files of an organisation.
    pub bundles: u64,
    /// Bytes of chunks of an organisation that wait to be assembled.
    pub chunk_bytes: u64,
    /// Organisations.
    pub organisations: u64,
    /// Projects of an organisation.
    pub projects: u64,
    /// Releases of an organisation.
    pub releases: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            organisation_bytes: 20 << 30,
            total_bytes: 50 << 30,
            bundles: 100_000,
            chunk_bytes: 4 << 30,
            organisations: 1000,
            projects: 1000,
            releases: 100_000,
        }
    }
}

/// Settings of [`Artifacts`](crate::Artifacts).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What one bundle may be.
    pub bundle: BundleLimits,
    /// What may be kept.
    pub quotas: Quotas,
    /// Bytes of a chunk when it is inflated. A power of two: clients insist.
    pub chunk_bytes: u64,
    /// Bundles and single files that resolved nothing for so long go; and so do releases without any.
    pub unused_for: Duration,
    /// Chunks go so long after they came.
    pub chunks_for: Duration,
    /// Bytes of all caches of source maps.
    pub cache_bytes: u64,
    /// Memory for pages of the metadata, in bytes.
    pub metadata_memory_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bundle: BundleLimits::default(),
            quotas: Quotas::default(),
            chunk_bytes: 8 << 20,
            unused_for: Duration::from_hours(90 * 24),
            chunks_for: Duration::from_hours(24),
            cache_bytes: 1 << 30,
            metadata_memory_bytes: 32 << 20,
        }
    }
}
