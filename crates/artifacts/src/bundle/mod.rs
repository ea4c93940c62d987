//! An artifact bundle, as a stream: the header, the archive, its manifest, and the files that the manifest names.
//!
//! A bundle is `SYSB`, a little-endian u32 (2) and a zip archive, or the archive alone. Only what `manifest.json` names
//! counts. All of it comes from clients that nobody trusts: each number is checked before something is reserved for it, at
//! most one block of a file is in memory, and a path is a key that never reaches a file system.

mod archive;
mod entry;
mod error;
mod manifest;
mod source;

pub use error::BundleError;
pub use manifest::{FileKind, Manifest, ManifestFile};
pub use source::ReadAt;

pub(crate) use entry::EntryReader;

use archive::Archive;

use crate::options::BundleLimits;

/// The first bytes of a bundle; bundles of old clients have none.
const MAGIC: &[u8; 4] = b"SYSB";
const HEADER_LEN: u64 = 8;
const VERSION: u32 = 2;

/// Where the manifest is in the archive.
const MANIFEST_NAME: &str = "manifest.json";

/// A bundle whose directory and manifest were read and found sound.
pub(crate) struct Bundle<'a, S: ?Sized> {
    source: &'a S,
    limits: &'a BundleLimits,
    archive: Archive,
    /// What the bundle says of its files.
    pub(crate) manifest: Manifest,
    inflated_bytes: u64,
}

impl<'a, S: ReadAt + ?Sized> Bundle<'a, S> {
    /// Reads directory and manifest.
    pub(crate) fn open(source: &'a S, limits: &'a BundleLimits) -> Result<Self, BundleError> {
        let start = header_len(source)?;
        let archive = Archive::read(source, start, limits)?;
        let entry = archive
            .find(MANIFEST_NAME)
            .ok_or(BundleError::NoManifest)?
            .clone();
        if entry.len > limits.manifest_bytes {
            return Err(BundleError::ManifestTooLarge {
                limit: limits.manifest_bytes,
            });
        }
        let mut text = Vec::new();
        let mut reader = EntryReader::open(source, &entry, limits)?;
        while let Some(block) = reader.next_block()? {
            text.extend_from_slice(block);
        }
        let manifest = Manifest::parse(&text, limits)?;
        let mut bundle = Self {
            source,
            limits,
            archive,
            manifest,
            inflated_bytes: 0,
        };
        bundle.check_files()?;
        Ok(bundle)
    }

    /// Bytes of all files that the manifest names, as the archive's directory has them. Reading a file holds it to that.
    pub(crate) fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// A stream of one file of the manifest.
    pub(crate) fn file(&self, file: &ManifestFile) -> Result<EntryReader<'_, S>, BundleError> {
        let entry = self.archive.find(&file.path);
        let entry = entry.ok_or_else(|| BundleError::missing_file(&file.path))?;
        EntryReader::open(self.source, entry, self.limits)
    }

    /// What can be known before the first file is inflated.
    fn check_files(&mut self) -> Result<(), BundleError> {
        for file in &self.manifest.files {
            let entry = self.archive.find(&file.path);
            let entry = entry.ok_or_else(|| BundleError::missing_file(&file.path))?;
            if entry.len > self.limits.file_bytes {
                return Err(BundleError::FileTooLarge {
                    path: file.path.clone(),
                    limit: self.limits.file_bytes,
                });
            }
            self.inflated_bytes = self.inflated_bytes.saturating_add(entry.len);
        }
        if self.inflated_bytes > self.limits.inflated_bytes {
            return Err(BundleError::InflatedTooLarge {
                limit: self.limits.inflated_bytes,
            });
        }
        Ok(())
    }
}

/// Reads a whole bundle and forgets it: what `artifacts` would say to it. For tests, fuzzing and commands.
pub fn check_bundle<S: ReadAt + ?Sized>(
    source: &S,
    limits: &BundleLimits,
) -> Result<Manifest, BundleError> {
    let bundle = Bundle::open(source, limits)?;
    for file in &bundle.manifest.files {
        let mut reader = bundle.file(file)?;
        while reader.next_block()?.is_some() {}
    }
    Ok(bundle.manifest)
}

fn header_len<S: ReadAt + ?Sized>(source: &S) -> Result<u64, BundleError> {
    let mut header = [0; HEADER_LEN as usize];
    if source.len() < HEADER_LEN {
        return Err(BundleError::NoArchive);
    }
    source
        .read_exact_at(&mut header, 0)
        .map_err(BundleError::Read)?;
    let Some([a, b, c, d]) = header.strip_prefix(MAGIC) else {
        return Ok(0);
    };
    let version = u32::from_le_bytes([*a, *b, *c, *d]);
    if version != VERSION {
        return Err(BundleError::UnknownVersion {
            found: version,
            supported: VERSION,
        });
    }
    Ok(HEADER_LEN)
}
