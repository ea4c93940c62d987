//! The transaction that makes an upload part of the store.

use crate::blobs::Stored;
use crate::bundles::{BundleId, releases_of};
use crate::digest::{Sha1, Sha256};
use crate::error::{Error, Result};
use crate::metadata::rows::{BundleKindRow, BundleRow, FileRow, PlaceRow, encode, parse};
use crate::metadata::tables::{Tables, row};
use crate::options::Quotas;
use crate::organisations::IfMissing;
use srcmap::DebugId;

/// Projects and releases that one bundle may be in.
const MAX_PLACES: usize = 200;
const MILLIS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// Where an upload goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) organisation: String,
    pub(crate) projects: Vec<String>,
    pub(crate) version: Option<String>,
    pub(crate) dist: Option<String>,
    pub(crate) if_missing: IfMissing,
}

/// An upload whose bytes are in their files.
pub(crate) struct NewBundle {
    pub(crate) kind: BundleKindRow,
    pub(crate) identity: Sha1,
    pub(crate) sha1: Sha1,
    pub(crate) sha256: Sha256,
    pub(crate) debug_id: Option<DebugId>,
    pub(crate) files: Vec<NewFile>,
}

/// One file of it.
pub(crate) struct NewFile {
    pub(crate) row: FileRow,
    pub(crate) debug_id: Option<DebugId>,
    pub(crate) sha256: Sha256,
    pub(crate) stored: Stored,
}

/// Which day it is, counted from 1970.
pub(crate) fn day_of(now_ms: u64) -> u64 {
    now_ms / MILLIS_PER_DAY
}

impl Tables<'_> {
    /// The bundle that has this identity.
    pub(crate) fn identified(&self, owner: u64, identity: Sha1) -> Result<Option<BundleId>> {
        use redb::ReadableTable;
        let id = self.identities.get((owner, &identity.0))?;
        Ok(id.map(|id| BundleId(id.value())))
    }

    /// Adds an upload, or only its places and dates when it is there already.
    pub(crate) fn commit_bundle(
        &mut self,
        target: &Target,
        new: &NewBundle,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<BundleId> {
        let organisation = &target.organisation;
        let owner = self
            .organisation(organisation, target.if_missing, quotas, now_ms)?
            .id;
        if let Some(id) = self.identified(owner, new.identity)? {
            self.renew_bundle(target, owner, id, quotas, now_ms)?;
            return Ok(id);
        }
        let bytes = new.files.iter().map(|file| file.stored.len).sum();
        self.count_bundle(owner, bytes, quotas)?;
        let id = BundleId(self.next_id()?);
        for (index, file) in new.files.iter().enumerate() {
            let index = index as u32;
            self.files
                .insert((id.0, index), encode(&file.row)?.as_slice())?;
            if let Some(debug_id) = &file.debug_id {
                self.debug_ids
                    .insert((debug_id.as_bytes(), id.0, index), ())?;
            }
            self.refer(file.sha256, file.stored)?;
        }
        self.identities.insert((owner, &new.identity.0), id.0)?;
        let mut row = BundleRow {
            organisation: owner,
            kind: new.kind,
            identity: new.identity.to_string(),
            sha1: new.sha1.to_string(),
            sha256: new.sha256.to_string(),
            debug_id: new.debug_id.map(|id| id.to_string()),
            seq: id.0,
            places: Vec::new(),
            created_ms: now_ms,
            uploaded_ms: now_ms,
            used_day: day_of(now_ms),
            files: new.files.len() as u32,
            bytes,
        };
        self.place_bundle(target, owner, id, &mut row, quotas, now_ms)?;
        self.bump_generation()?;
        Ok(id)
    }

    /// Says that an upload came once more.
    pub(crate) fn renew_bundle(
        &mut self,
        target: &Target,
        owner: u64,
        id: BundleId,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<()> {
        let mut row: BundleRow = row(&self.bundles, id.0)?
            .ok_or_else(|| Error::Damaged(format!("the bundle {} is missing", id.0)))?;
        row.uploaded_ms = now_ms;
        row.used_day = row.used_day.max(day_of(now_ms));
        self.place_bundle(target, owner, id, &mut row, quotas, now_ms)?;
        self.bump_generation()
    }

    /// Adds the places of the target and puts the bundle first in all lists.
    fn place_bundle(
        &mut self,
        target: &Target,
        owner: u64,
        id: BundleId,
        row: &mut BundleRow,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<()> {
        self.unlist_bundle(row)?;
        let releases_before = releases_of(row);
        let places = self.places(target, owner, row, quotas, now_ms)?;
        for place in places {
            if !row.places.contains(&place) {
                row.places.push(place);
            }
        }
        if row.places.len() > MAX_PLACES {
            return Err(Error::Quota {
                scope: "a bundle".to_owned(),
                what: "projects and releases",
                limit: MAX_PLACES as u64,
            });
        }
        row.seq = self.next_id()?;
        self.organisation_bundles.insert((owner, row.seq), id.0)?;
        for release in releases_of(row) {
            self.release_bundles.insert((release, row.seq), id.0)?;
            let is_new = !releases_before.contains(&release);
            let (_, version, mut release) = self.release_by_id(release)?;
            release.bundles += u64::from(is_new);
            let projects: Vec<u64> = row
                .places
                .iter()
                .filter(|place| place.release == Some(release.id))
                .map(|place| place.project)
                .collect();
            self.renew_release(owner, &version, &mut release, &projects, now_ms)?;
        }
        self.put_bundle(id.0, row)
    }

    /// The places of a target. Without projects, they are those of the release, else those where the bundle is already.
    fn places(
        &mut self,
        target: &Target,
        owner: u64,
        row: &BundleRow,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<Vec<PlaceRow>> {
        let organisation = &target.organisation;
        let mut projects = Vec::new();
        for slug in &target.projects {
            let project =
                self.project(organisation, owner, slug, target.if_missing, quotas, now_ms)?;
            projects.push(project.id);
        }
        let release = match &target.version {
            Some(version) => {
                // Uploading names a release; that makes it.
                let made = IfMissing::Create;
                let (release, is_new) =
                    self.release(organisation, owner, version, made, quotas, now_ms)?;
                if is_new {
                    self.put_release(owner, version, &release)?;
                }
                Some(release)
            }
            None => None,
        };
        if projects.is_empty() {
            let known = release.as_ref().map(|release| release.projects.clone());
            projects = known.unwrap_or_default();
        }
        if projects.is_empty() {
            projects = row.places.iter().map(|place| place.project).collect();
        }
        if projects.is_empty() {
            return Err(Error::invalid(
                "the list of projects",
                "",
                "is empty, and neither the bundle nor the release names one",
            ));
        }
        let release = release.map(|release| release.id);
        // What a repeated request does not say was said by the first one, or by the manifest.
        let is_known = |project: u64| {
            row.places.iter().any(|place| {
                place.project == project
                    && (release.is_none() || place.release == release)
                    && (target.dist.is_none() || place.dist == target.dist)
            })
        };
        Ok(projects
            .into_iter()
            .filter(|project| !is_known(*project))
            .map(|project| PlaceRow {
                project,
                release,
                dist: target.dist.clone(),
            })
            .collect())
    }

    fn count_bundle(&mut self, owner: u64, bytes: u64, quotas: &Quotas) -> Result<()> {
        self.change_organisation(owner, |slug, row| {
            row.bundles += 1;
            row.bytes += bytes;
            check_quotas(slug, row.bundles, row.bytes, quotas)
        })?;
        let total = self.add_total_bytes(bytes, 0)?;
        if total > quotas.total_bytes {
            return Err(Error::Quota {
                scope: "this server".to_owned(),
                what: "bytes of files",
                limit: quotas.total_bytes,
            });
        }
        Ok(())
    }

    /// Takes a bundle out of the lists; [`place_bundle`](Self::place_bundle) puts it back.
    pub(crate) fn unlist_bundle(&mut self, row: &BundleRow) -> Result<()> {
        self.organisation_bundles
            .remove((row.organisation, row.seq))?;
        for release in releases_of(row) {
            self.release_bundles.remove((release, row.seq))?;
        }
        Ok(())
    }

    /// Takes places away from a bundle; without any left, it goes. Says whether it went.
    pub(crate) fn keep_places(
        &mut self,
        id: BundleId,
        mut keep: impl FnMut(&PlaceRow) -> bool,
    ) -> Result<bool> {
        let mut row: BundleRow = row(&self.bundles, id.0)?
            .ok_or_else(|| Error::Damaged(format!("the bundle {} is missing", id.0)))?;
        let before = releases_of(&row);
        self.unlist_bundle(&row)?;
        row.places.retain(|place| keep(place));
        let after = releases_of(&row);
        for release in before.difference(&after) {
            let (owner, version, mut release) = self.release_by_id(*release)?;
            release.bundles = release.bundles.saturating_sub(1);
            self.put_release(owner, &version, &release)?;
        }
        if row.places.is_empty() {
            self.remove_bundle(id, &row)?;
            return Ok(true);
        }
        self.organisation_bundles
            .insert((row.organisation, row.seq), id.0)?;
        for release in after {
            self.release_bundles.insert((release, row.seq), id.0)?;
        }
        self.put_bundle(id.0, &row)?;
        Ok(false)
    }

    /// Removes the rows of a bundle that is in no list any more.
    fn remove_bundle(&mut self, id: BundleId, row: &BundleRow) -> Result<()> {
        for index in 0..row.files {
            let removed = self.files.remove((id.0, index))?;
            let Some(file) = removed.map(|file| crate::metadata::rows::decode(file.value())) else {
                continue;
            };
            let file: FileRow = file?;
            let debug_id = file.debug_id.as_ref().and_then(|id| id.parse().ok());
            if let Some(debug_id) = debug_id {
                let debug_id: DebugId = debug_id;
                self.debug_ids.remove((debug_id.as_bytes(), id.0, index))?;
            }
            self.release_blob(parse(&file.sha256)?)?;
        }
        let identity: Sha1 = parse(&row.identity)?;
        self.identities.remove((row.organisation, &identity.0))?;
        self.bundles.remove(id.0)?;
        self.change_organisation(row.organisation, |_, organisation| {
            organisation.bundles = organisation.bundles.saturating_sub(1);
            organisation.bytes = organisation.bytes.saturating_sub(row.bytes);
            Ok(())
        })?;
        self.add_total_bytes(0, row.bytes)?;
        Ok(())
    }
}

pub(crate) fn check_quotas(slug: &str, bundles: u64, bytes: u64, quotas: &Quotas) -> Result<()> {
    let over = |what, limit| {
        Err(Error::Quota {
            scope: format!("the organisation {slug:?}"),
            what,
            limit,
        })
    };
    if bundles > quotas.bundles {
        return over("bundles", quotas.bundles);
    }
    if bytes > quotas.organisation_bytes {
        return over("bytes of files", quotas.organisation_bytes);
    }
    Ok(())
}
