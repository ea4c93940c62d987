//! Bundles, and single files, which are bundles of one: what they hold and where they may be looked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::FileKind;
use crate::digest::{Sha1, Sha256};
use crate::error::{Error, Result};
use crate::metadata::rows::{BundleKindRow, BundleRow, FileRow, PlaceRow, decode, parse};
use crate::metadata::tables::{View, release_by_id, row};
use crate::organisations::more;
use crate::page::{Listed, Page};
use crate::store::Artifacts;
use srcmap::DebugId;

/// Bundles that one page of a filtered list looks at.
const MAX_LOOKED_AT: usize = 10_000;

/// The number of a bundle or a single file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId(pub u64);

/// How it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleKind {
    /// Assembled from chunks.
    Bundle,
    /// One file, by the old protocol.
    File,
}

/// Where a bundle may be looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Slug of the project.
    pub project: String,
    /// Version of the release; without one, only debug ids lead to it.
    pub release: Option<String>,
    /// Distribution within the release.
    pub dist: Option<String>,
}

/// What was uploaded at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBundle {
    /// Its number.
    pub id: BundleId,
    /// How it came.
    pub kind: BundleKind,
    /// SHA-1 of the bundle or the file.
    pub sha1: Sha1,
    /// SHA-256 of the bundle or the file.
    pub sha256: Sha256,
    /// The debug id of the bundle as a whole.
    pub debug_id: Option<DebugId>,
    /// Where it may be looked for.
    pub places: Vec<Place>,
    /// When it came first, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it came last, in milliseconds since 1970.
    pub uploaded_ms: u64,
    /// The day on which it resolved a frame, or came, last; in days since 1970.
    pub used_day: u64,
    /// How many files it has.
    pub files: u32,
    /// Bytes of its files.
    pub bytes: u64,
}

/// A file that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// The bundle that it is in.
    pub bundle: BundleId,
    /// Its place among the files of the bundle.
    pub index: u32,
    /// Its path in the bundle, or the name of a single file.
    pub path: String,
    /// Where it runs: `~/app.js` is that path of any host.
    pub url: String,
    /// What it is.
    pub kind: FileKind,
    /// Headers; the names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What ties a bundle and its map: from its header, else from its text.
    pub debug_id: Option<DebugId>,
    /// What its text names as its map. [`source_map_header`](Self::source_map_header) has what the upload names.
    pub source_mapping_url: Option<String>,
    /// Whether its map is in its text.
    pub inline_map: bool,
    /// The `file` that a map says it is for.
    pub map_file: Option<String>,
    /// Bytes.
    pub len: u64,
    /// SHA-1 of its bytes.
    pub sha1: Sha1,
    /// SHA-256 of its bytes, for [`Artifacts::open_blob`].
    pub sha256: Sha256,
}

impl StoredFile {
    /// The map that the upload names for it. It may be wrong where there is a debug id, which beats it.
    pub fn source_map_header(&self) -> Option<&str> {
        let names = ["sourcemap", "x-sourcemap"];
        let header = names.iter().find_map(|name| self.headers.get(*name));
        header.map(String::as_str)
    }
}

/// Which bundles a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleFilter {
    /// Slug of a project.
    pub project: Option<String>,
    /// Version of a release.
    pub release: Option<String>,
}

impl Artifacts {
    /// A bundle of an organisation.
    pub fn bundle(&self, organisation: &str, id: BundleId) -> Result<Option<StoredBundle>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        match row::<u64, BundleRow>(&view.bundles, id.0)? {
            Some(row) if row.organisation == owner.id => view.stored_bundle(id, row).map(Some),
            _ => Ok(None),
        }
    }

    /// Bundles and single files: what came last stands first. A page may be short, also empty, before the last one: then
    /// others lay between.
    pub fn bundles(
        &self,
        organisation: &str,
        filter: &BundleFilter,
        page: &Page,
    ) -> Result<Listed<StoredBundle>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let project = match &filter.project {
            Some(slug) => Some(view.known_project(owner.id, slug)?.id),
            None => None,
        };
        let release = match &filter.release {
            Some(version) => Some(view.known_release(organisation, version)?.id),
            None => None,
        };
        let below = page.below();
        let range = match release {
            Some(release) => view.release_bundles.range((release, 0)..(release, below))?,
            None => {
                let range = (owner.id, 0)..(owner.id, below);
                view.organisation_bundles.range(range)?
            }
        };
        let mut items = Vec::new();
        let mut last = 0;
        for (looked_at, entry) in range.rev().enumerate() {
            let (key, id) = entry?;
            if items.len() == page.limit() || looked_at == MAX_LOOKED_AT {
                return Ok(Listed {
                    items,
                    next: Some(last.to_string()),
                });
            }
            last = key.value().1;
            let id = BundleId(id.value());
            let row = view.bundle_row(id)?;
            let is_wanted = row.places.iter().any(|place| {
                project.is_none_or(|project| place.project == project)
                    && release.is_none_or(|release| place.release == Some(release))
            });
            if is_wanted {
                items.push(view.stored_bundle(id, row)?);
            }
        }
        Ok(Listed { items, next: None })
    }

    /// Files of a bundle, by path.
    pub fn bundle_files(
        &self,
        organisation: &str,
        id: BundleId,
        page: &Page,
    ) -> Result<Listed<StoredFile>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let bundle: Option<BundleRow> = row(&view.bundles, id.0)?;
        if bundle.is_none_or(|row| row.organisation != owner.id) {
            return Err(Error::not_found("bundle", id.0));
        }
        let after = page.after.as_ref().and_then(|after| after.parse().ok());
        let from = after.map_or(0, |after: u32| after.saturating_add(1));
        let mut items = Vec::new();
        for entry in view.files.range((id.0, from)..=(id.0, u32::MAX))? {
            let (key, value) = entry?;
            if items.len() == page.limit() {
                return Ok(more(items, |last: &StoredFile| last.index.to_string()));
            }
            items.push(stored_file(id, key.value().1, decode(value.value())?)?);
        }
        Ok(Listed { items, next: None })
    }
}

impl View {
    pub(crate) fn bundle_row(&self, id: BundleId) -> Result<BundleRow> {
        row(&self.bundles, id.0)?
            .ok_or_else(|| Error::Damaged(format!("the bundle {} is missing", id.0)))
    }

    fn stored_bundle(&self, id: BundleId, row: BundleRow) -> Result<StoredBundle> {
        let mut places = Vec::with_capacity(row.places.len());
        for place in &row.places {
            places.extend(self.place(place)?);
        }
        Ok(StoredBundle {
            id,
            kind: match row.kind {
                BundleKindRow::Bundle => BundleKind::Bundle,
                BundleKindRow::File => BundleKind::File,
            },
            sha1: parse(&row.sha1)?,
            sha256: parse(&row.sha256)?,
            debug_id: row.debug_id.and_then(|id| id.parse().ok()),
            places,
            created_ms: row.created_ms,
            uploaded_ms: row.uploaded_ms,
            used_day: row.used_day,
            files: row.files,
            bytes: row.bytes,
        })
    }

    fn place(&self, place: &PlaceRow) -> Result<Option<Place>> {
        let Some(project) = self.project_names.get(place.project)? else {
            return Ok(None);
        };
        let release = match place.release {
            Some(id) => Some(release_by_id(&self.release_names, &self.releases, id)?.1),
            None => None,
        };
        Ok(Some(Place {
            project: project.value().1.to_owned(),
            release,
            dist: place.dist.clone(),
        }))
    }
}

/// The releases that a bundle is in.
pub(crate) fn releases_of(row: &BundleRow) -> BTreeSet<u64> {
    row.places
        .iter()
        .filter_map(|place| place.release)
        .collect()
}

pub(crate) fn stored_file(bundle: BundleId, index: u32, row: FileRow) -> Result<StoredFile> {
    Ok(StoredFile {
        bundle,
        index,
        path: row.path,
        url: row.url,
        kind: FileKind::from_name(&row.kind),
        headers: row.headers,
        debug_id: row.debug_id.and_then(|id| id.parse().ok()),
        source_mapping_url: row.source_mapping_url,
        inline_map: row.inline_map,
        map_file: row.map_file,
        len: row.len,
        sha1: parse(&row.sha1)?,
        sha256: parse(&row.sha256)?,
    })
}
