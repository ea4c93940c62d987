//! Questions of whoever looks for the map of a frame.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use redb::ReadableTable;

use crate::blobs::BlobReader;
use crate::bundles::{BundleId, StoredFile, stored_file};
use crate::digest::Sha256;
use crate::error::{Error, Result};
use crate::metadata::rows::{BundleRow, ProjectRow, decode};
use crate::metadata::tables::{View, release_by_id, row, stored};
use crate::releases::ReleaseId;
use crate::store::Artifacts;
use srcmap::DebugId;

/// Files with one debug id that are found at most, and that are looked at for it: projects may have uploaded them in vain.
const MAX_SAME_DEBUG_ID: usize = 256;
const MAX_LOOKED_AT: usize = 10_000;

/// The projects that may answer for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    projects: BTreeSet<u64>,
    /// Slugs, each with its organisation's, for people.
    names: Vec<(String, String)>,
}

impl Serving {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.projects.is_empty()
    }

    /// Organisation and project, of each.
    pub fn names(&self) -> &[(String, String)] {
        &self.names
    }
}

/// A release that may have built what a frame ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRef {
    /// Its number.
    pub id: ReleaseId,
    /// Its name.
    pub version: String,
    /// Rises with each change.
    pub seq: u64,
}

/// A file that may have to do with a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub file: StoredFile,
    /// The distributions under which its release has it: `None` among them is "without one". Empty when the question was
    /// not about a release.
    pub dists: Vec<Option<String>>,
}

/// Files of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// What was uploaded last stands first.
    pub files: Vec<Candidate>,
    /// Whether there were more than were asked for.
    pub truncated: bool,
}

impl Artifacts {
    /// The projects that serve a service: that of its own name, those that it is mapped to, and a project that is alone.
    pub fn serving(&self, service: &str) -> Result<Serving> {
        let view = self.inner.metadata.view()?;
        let mut serving = BTreeMap::new();
        let mut all = 0_u64;
        let mut last = None;
        for entry in view.projects.iter()? {
            let (key, value) = entry?;
            let (owner, slug) = key.value();
            let row: ProjectRow = decode(value.value())?;
            all += 1;
            let name = (owner, slug.to_owned());
            if slug == service || row.services.iter().any(|mapped| mapped == service) {
                serving.insert(row.id, name);
            } else {
                last = Some((row.id, name));
            }
        }
        if all == 1 {
            serving.extend(last);
        }
        let mut names = Vec::with_capacity(serving.len());
        for (owner, slug) in serving.values() {
            if let Some(name) = view.organisation_names.get(owner)? {
                names.push((name.value().1.to_owned(), slug.clone()));
            }
        }
        Ok(Serving {
            projects: serving.into_keys().collect(),
            names,
        })
    }

    /// The files with this debug id in projects that serve: what was uploaded last stands first.
    pub fn files_by_debug_id(&self, id: DebugId, serving: &Serving) -> Result<Vec<Candidate>> {
        let view = self.inner.metadata.view()?;
        let bytes = id.as_bytes();
        let mut found = Vec::new();
        let range = (bytes, 0, 0)..=(bytes, u64::MAX, u32::MAX);
        for entry in view.debug_ids.range(range)?.rev().take(MAX_LOOKED_AT) {
            if found.len() == MAX_SAME_DEBUG_ID {
                break;
            }
            let (key, _) = entry?;
            let (_, bundle, index) = key.value();
            let bundle = BundleId(bundle);
            let row = view.bundle_row(bundle)?;
            if row.is_served(serving) {
                found.push((row.seq, view.file(bundle, index)?));
            }
        }
        found.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
        Ok(found
            .into_iter()
            .map(|(_, file)| Candidate {
                file,
                dists: Vec::new(),
            })
            .collect())
    }

    /// The releases of this name in projects that serve. Of two organisations, there may be two.
    pub fn releases_named(&self, version: &str, serving: &Serving) -> Result<Vec<ReleaseRef>> {
        let view = self.inner.metadata.view()?;
        let mut owners = BTreeSet::new();
        for project in &serving.projects {
            if let Some(name) = view.project_names.get(project)? {
                owners.insert(name.value().0);
            }
        }
        let mut found = Vec::new();
        for owner in owners {
            let release: Option<crate::metadata::rows::ReleaseRow> =
                row(&view.releases, (owner, version))?;
            found.extend(release.filter(|row| row.bundles > 0).map(|row| ReleaseRef {
                id: ReleaseId(row.id),
                version: version.to_owned(),
                seq: row.seq,
            }));
        }
        found.sort_by_key(|release| std::cmp::Reverse(release.seq));
        Ok(found)
    }

    /// The releases with files in projects that serve: what changed last stands first.
    pub fn newest_releases(&self, serving: &Serving, limit: usize) -> Result<Vec<ReleaseRef>> {
        let view = self.inner.metadata.view()?;
        let mut found = BTreeMap::new();
        for project in &serving.projects {
            let mut of_project = 0;
            // Releases that only have a name may be many.
            for entry in view
                .project_releases
                .range((*project, 0)..=(*project, u64::MAX))?
                .rev()
                .take(limit.saturating_mul(20))
            {
                let (key, id) = entry?;
                let (_, version, row) =
                    release_by_id(&view.release_names, &view.releases, id.value())?;
                if row.bundles == 0 {
                    continue;
                }
                let release = ReleaseRef {
                    id: ReleaseId(row.id),
                    version,
                    seq: row.seq,
                };
                found.insert(std::cmp::Reverse(key.value().1), release);
                of_project += 1;
                if of_project == limit {
                    break;
                }
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// The files of a release in projects that serve: what was uploaded last stands first. At most `limit`.
    pub fn files_of_release(
        &self,
        release: ReleaseId,
        serving: &Serving,
        limit: usize,
    ) -> Result<Candidates> {
        let view = self.inner.metadata.view()?;
        let mut files = Vec::new();
        for entry in view
            .release_bundles
            .range((release.0, 0)..=(release.0, u64::MAX))?
            .rev()
        {
            let bundle = BundleId(entry?.1.value());
            let row = view.bundle_row(bundle)?;
            let dists: BTreeSet<Option<String>> = row
                .places
                .iter()
                .filter(|place| {
                    place.release == Some(release.0) && serving.projects.contains(&place.project)
                })
                .map(|place| place.dist.clone())
                .collect();
            if dists.is_empty() {
                continue;
            }
            let dists: Vec<Option<String>> = dists.into_iter().collect();
            for entry in view.files.range((bundle.0, 0)..=(bundle.0, u32::MAX))? {
                let (key, value) = entry?;
                if files.len() == limit {
                    return Ok(Candidates {
                        files,
                        truncated: true,
                    });
                }
                let file = stored_file(bundle, key.value().1, decode(value.value())?)?;
                files.push(Candidate {
                    file,
                    dists: dists.clone(),
                });
            }
        }
        Ok(Candidates {
            files,
            truncated: false,
        })
    }

    /// A stream of the bytes of a file; `None` when nothing names them any more.
    pub fn open_blob(&self, sha256: Sha256) -> Result<Option<BlobReader>> {
        // A sweep between the look and the open would remove it.
        let _upload = self.inner.upload();
        let view = self.inner.metadata.view()?;
        match stored(&view.blobs, sha256)? {
            Some(stored) => self.inner.blobs.open_blob(sha256, stored).map(Some),
            None => Ok(None),
        }
    }

    /// The bytes of a file, when there are no more than `limit`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], and [`Error::NotFound`] when nothing names them any more.
    pub fn read_blob(&self, sha256: Sha256, limit: u64) -> Result<Vec<u8>> {
        let blob = self.open_blob(sha256)?;
        let mut blob = blob.ok_or_else(|| Error::not_found("file", sha256))?;
        if blob.len() > limit {
            return Err(Error::TooLarge {
                what: "the file",
                limit,
            });
        }
        let mut bytes = Vec::with_capacity(blob.len() as usize);
        let read = (&mut blob).take(limit).read_to_end(&mut bytes);
        read.map_err(|error| Error::Damaged(format!("the file {sha256} cannot be read: {error}")))?;
        if bytes.len() as u64 != blob.len() {
            return Err(Error::Damaged(format!(
                "the file {sha256} has {} bytes and not {}",
                bytes.len(),
                blob.len()
            )));
        }
        Ok(bytes)
    }
}

impl BundleRow {
    fn is_served(&self, serving: &Serving) -> bool {
        self.places
            .iter()
            .any(|place| serving.projects.contains(&place.project))
    }
}

impl View {
    fn file(&self, bundle: BundleId, index: u32) -> Result<StoredFile> {
        let row = row(&self.files, (bundle.0, index))?;
        let row = row.ok_or_else(|| {
            Error::Damaged(format!(
                "the file {index} of bundle {} is missing",
                bundle.0
            ))
        })?;
        stored_file(bundle, index, row)
    }
}
