//! Which files the metadata of an instant names, and whether its rows agree with each other.

use std::collections::BTreeMap;

use redb::ReadableTable;

use crate::blobs::{NamedFile, Stored};
use crate::digest::{Sha1, Sha256};
use crate::error::Result;
use crate::metadata::rows::{BundleRow, FileRow, OrganisationRow, ProjectRow, ReleaseRow, decode};
use crate::metadata::tables::{View, stored};

/// What is in [`View`] that files are needed for.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) bundles: u64,
    /// Files of the bundles.
    pub(crate) files: u64,
    /// Blobs and chunks.
    pub(crate) kept: BTreeMap<NamedFile, Expected>,
}

/// What a file is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Blob(Stored),
    /// With its length in bytes.
    Chunk(u64),
}

impl Expected {
    /// Bytes of the file.
    pub(crate) fn file_len(self) -> u64 {
        match self {
            Self::Blob(stored) => stored.file_len,
            Self::Chunk(len) => len,
        }
    }
}

impl Named {
    pub(crate) fn by(view: &View) -> Result<Self> {
        let mut named = Self::default();
        for entry in view.blobs.iter()? {
            let sha256 = Sha256(*entry?.0.value());
            if let Some(stored) = stored(&view.blobs, sha256)? {
                let name = NamedFile::Blob(sha256, stored.encoding);
                named.kept.insert(name, Expected::Blob(stored));
            }
        }
        for entry in view.chunks.iter()? {
            let (key, value) = entry?;
            let (organisation, sha1) = key.value();
            let name = NamedFile::Chunk(organisation, Sha1(*sha1));
            named.kept.insert(name, Expected::Chunk(value.value().0));
        }
        for entry in view.bundles.iter()? {
            named.bundles += 1;
            named.files += u64::from(decode::<BundleRow>(entry?.1.value())?.files);
        }
        Ok(named)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.kept.values().map(|expected| expected.file_len()).sum()
    }
}

/// Where rows contradict each other, in words.
pub(crate) fn contradictions(view: &View) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in view.organisations.iter()? {
        decode::<OrganisationRow>(entry?.1.value())?;
    }
    for entry in view.projects.iter()? {
        decode::<ProjectRow>(entry?.1.value())?;
    }
    for entry in view.releases.iter()? {
        decode::<ReleaseRow>(entry?.1.value())?;
    }
    let mut references: BTreeMap<Sha256, u64> = BTreeMap::new();
    let mut files: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in view.files.iter()? {
        let (key, value) = entry?;
        let (bundle, index) = key.value();
        let row: FileRow = decode(value.value())?;
        *files.entry(bundle).or_default() += 1;
        match row.sha256.parse() {
            Ok(sha256) => *references.entry(sha256).or_default() += 1,
            Err(error) => found.push(format!("file {index} of bundle {bundle}: {error}")),
        }
    }
    for entry in view.blobs.iter()? {
        let (key, value) = entry?;
        let sha256 = Sha256(*key.value());
        let counted = references.remove(&sha256).unwrap_or_default();
        let said = value.value().3;
        if counted != said {
            found.push(format!(
                "the blob {sha256} is referred to by {counted} files, and its row says {said}"
            ));
        }
    }
    for (sha256, counted) in references {
        found.push(format!(
            "the blob {sha256} is referred to by {counted} files, and has no row"
        ));
    }
    for entry in view.bundles.iter()? {
        let (key, value) = entry?;
        let id = key.value();
        let said = u64::from(decode::<BundleRow>(value.value())?.files);
        let counted = files.remove(&id).unwrap_or_default();
        if counted != said {
            found.push(format!(
                "the bundle {id} has {counted} files, and its row says {said}"
            ));
        }
    }
    for (id, counted) in files {
        found.push(format!(
            "the bundle {id} has {counted} files, and is not there"
        ));
    }
    Ok(found)
}
