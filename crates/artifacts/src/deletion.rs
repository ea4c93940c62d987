//! What users delete. Files go when nothing names them any more and no upload runs.

use redb::ReadableTable;

use crate::bundles::BundleId;
use crate::digest::Sha1;
use crate::error::{Error, Result};
use crate::metadata::rows::{BundleRow, ProjectRow, ReleaseRow};
use crate::metadata::tables::{Tables, row};
use crate::store::{Artifacts, TENANT};

/// Bundles that one transaction deletes: it holds what it changes in memory.
const BATCH: usize = 200;

impl Artifacts {
    /// Deletes a bundle or a single file wherever it is. Says whether it was there.
    pub fn delete_bundle(&self, organisation: &str, id: BundleId) -> Result<bool> {
        let deleted = self.inner.change(|tables| {
            let owner = tables.known_organisation(organisation)?;
            match row::<u64, BundleRow>(&tables.bundles, id.0)? {
                Some(row) if row.organisation == owner.id => {}
                _ => return Ok(false),
            }
            tables.keep_places(id, |_| false)?;
            tables.bump_generation()?;
            Ok(true)
        })?;
        self.inner.collect_garbage(false)?;
        Ok(deleted)
    }

    /// Deletes the files of a release: of one project of it, or of all. What is in other releases too stays there. Returns
    /// how many bundles and single files left the release.
    pub fn delete_release_files(
        &self,
        organisation: &str,
        project: Option<&str>,
        version: &str,
    ) -> Result<u64> {
        let left = self.leave_release(organisation, project, version)?;
        self.inner.collect_garbage(false)?;
        Ok(left)
    }

    /// Deletes a release with its files, commits and deploys. Says whether it was there.
    pub fn delete_release(&self, organisation: &str, version: &str) -> Result<bool> {
        let owner = self
            .inner
            .metadata
            .view()?
            .known_organisation(organisation)?;
        if self.release(organisation, version)?.is_none() {
            return Ok(false);
        }
        self.leave_release(organisation, None, version)?;
        let deleted = self
            .inner
            .change(|tables| tables.delete_release(owner.id, version))?;
        self.inner.collect_garbage(false)?;
        Ok(deleted)
    }

    /// Deletes a project with what only it has. Says whether it was there.
    pub fn delete_project(&self, organisation: &str, slug: &str) -> Result<bool> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let Some(project): Option<ProjectRow> = row(&view.projects, (owner.id, slug))? else {
            return Ok(false);
        };
        drop(view);
        self.leave_everywhere(owner.id, Some(project.id))?;
        let deleted = self.inner.change(|tables| {
            let removed = tables.projects.remove((owner.id, slug))?.is_some();
            if removed {
                tables.project_names.remove(project.id)?;
                tables.change_organisation(owner.id, |_, row| {
                    row.projects = row.projects.saturating_sub(1);
                    Ok(())
                })?;
                tables.forget_project(owner.id, project.id)?;
                tables.bump_generation()?;
            }
            Ok(removed)
        })?;
        self.inner.collect_garbage(false)?;
        Ok(deleted)
    }

    /// Deletes an organisation with everything in it. Says whether it was there. When it fails half-way, the rest can be
    /// deleted by calling it again.
    pub fn delete_organisation(&self, slug: &str) -> Result<bool> {
        let Some(owner) = self.inner.metadata.view()?.organisation(slug)? else {
            return Ok(false);
        };
        self.leave_everywhere(owner.id, None)?;
        let (deleted, chunks) = self.inner.change(|tables| {
            for name in tables.names_of(owner.id)? {
                match name {
                    OwnedName::Release(version) => {
                        tables.delete_release(owner.id, &version)?;
                    }
                    OwnedName::Project(id, slug) => {
                        tables.projects.remove((owner.id, slug.as_str()))?;
                        tables.project_names.remove(id)?;
                    }
                }
            }
            let chunks = tables.delete_chunks(owner.id, |_| true)?;
            let deleted = tables.organisations.remove((TENANT, slug))?.is_some();
            tables.organisation_names.remove(owner.id)?;
            tables.bump_generation()?;
            Ok((deleted, chunks))
        })?;
        self.inner
            .forget_chunks(chunks.into_iter().map(|sha1| (owner.id, sha1)));
        self.inner.collect_garbage(false)?;
        Ok(deleted)
    }

    fn leave_release(
        &self,
        organisation: &str,
        project: Option<&str>,
        version: &str,
    ) -> Result<u64> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let release = view.known_release(organisation, version)?;
        let project = match project {
            Some(slug) => Some(view.known_project(owner.id, slug)?.id),
            None => None,
        };
        let mut ids = Vec::new();
        for entry in view
            .release_bundles
            .range((release.id, 0)..=(release.id, u64::MAX))?
        {
            ids.push(BundleId(entry?.1.value()));
        }
        drop(view);
        let mut left = 0;
        for batch in ids.chunks(BATCH) {
            left += self.inner.change(|tables| {
                let mut left = 0;
                for id in batch {
                    left += u64::from(tables.leave(*id, project, Some(release.id))?);
                }
                tables.bump_generation()?;
                Ok(left)
            })?;
        }
        Ok(left)
    }

    /// Takes all bundles of an organisation out of a project, or out of all.
    fn leave_everywhere(&self, owner: u64, project: Option<u64>) -> Result<()> {
        let view = self.inner.metadata.view()?;
        let mut ids = Vec::new();
        for entry in view
            .organisation_bundles
            .range((owner, 0)..=(owner, u64::MAX))?
        {
            ids.push(BundleId(entry?.1.value()));
        }
        drop(view);
        for batch in ids.chunks(BATCH) {
            self.inner.change(|tables| {
                for id in batch {
                    tables.leave(*id, project, None)?;
                }
                tables.bump_generation()
            })?;
        }
        Ok(())
    }
}

enum OwnedName {
    Release(String),
    Project(u64, String),
}

impl Tables<'_> {
    /// Takes a bundle out of a project, a release, or both. Says whether it was in there.
    fn leave(&mut self, id: BundleId, project: Option<u64>, release: Option<u64>) -> Result<bool> {
        let Some(bundle): Option<BundleRow> = row(&self.bundles, id.0)? else {
            return Ok(false);
        };
        let leaves = |place: &crate::metadata::rows::PlaceRow| {
            project.is_none_or(|project| place.project == project)
                && release.is_none_or(|release| place.release == Some(release))
        };
        if !bundle.places.iter().any(leaves) {
            return Ok(false);
        }
        self.keep_places(id, |place| !leaves(place))?;
        Ok(true)
    }

    /// Removes a release that has no bundles any more. Says whether it was there.
    pub(crate) fn delete_release(&mut self, owner: u64, version: &str) -> Result<bool> {
        let Some(release): Option<ReleaseRow> = row(&self.releases, (owner, version))? else {
            return Ok(false);
        };
        if release.bundles > 0 {
            // Somebody uploaded to it in the meantime.
            return Err(Error::invalid(
                "the release",
                version,
                "has received files while it was deleted",
            ));
        }
        self.unlist_release(owner, &release)?;
        self.commits.remove(release.id)?;
        self.deploys.remove(release.id)?;
        self.release_names.remove(release.id)?;
        self.releases.remove((owner, version))?;
        self.change_organisation(owner, |_, row| {
            row.releases = row.releases.saturating_sub(1);
            Ok(())
        })?;
        self.bump_generation()?;
        Ok(true)
    }

    /// Takes a project out of its releases; those without another one go.
    fn forget_project(&mut self, owner: u64, project: u64) -> Result<()> {
        let mut ids = Vec::new();
        for entry in self
            .project_releases
            .range((project, 0)..=(project, u64::MAX))?
        {
            ids.push(entry?.1.value());
        }
        for id in ids {
            let (_, version, mut release) = self.release_by_id(id)?;
            if release.projects == [project] && release.bundles == 0 {
                self.delete_release(owner, &version)?;
                continue;
            }
            self.project_releases.remove((project, release.seq))?;
            release.projects.retain(|known| *known != project);
            self.put_release(owner, &version, &release)?;
        }
        Ok(())
    }

    fn names_of(&self, owner: u64) -> Result<Vec<OwnedName>> {
        let mut names = Vec::new();
        for entry in self.releases.range((owner, "")..)? {
            let (key, _) = entry?;
            let (id, version) = key.value();
            if id != owner {
                break;
            }
            names.push(OwnedName::Release(version.to_owned()));
        }
        for entry in self.projects.range((owner, "")..)? {
            let (key, value) = entry?;
            let (id, slug) = key.value();
            if id != owner {
                break;
            }
            let project: ProjectRow = crate::metadata::rows::decode(value.value())?;
            names.push(OwnedName::Project(project.id, slug.to_owned()));
        }
        Ok(names)
    }

    /// Removes the rows of those chunks of an organisation that came when `goes` says so.
    pub(crate) fn delete_chunks(
        &mut self,
        owner: u64,
        goes: impl Fn(u64) -> bool,
    ) -> Result<Vec<Sha1>> {
        let mut gone = Vec::new();
        let mut bytes = 0;
        for entry in self
            .chunks
            .range((owner, &[0; 20])..=(owner, &[0xff; 20]))?
        {
            let (key, value) = entry?;
            let (len, uploaded_ms, _) = value.value();
            if goes(uploaded_ms) {
                gone.push(Sha1(*key.value().1));
                bytes += len;
            }
        }
        for sha1 in &gone {
            self.chunks.remove((owner, &sha1.0))?;
        }
        if !gone.is_empty() {
            self.change_organisation(owner, |_, row| {
                row.chunk_bytes = row.chunk_bytes.saturating_sub(bytes);
                Ok(())
            })?;
        }
        Ok(gone)
    }
}
