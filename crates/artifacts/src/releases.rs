//! Releases: what was built, from which commits, and where it runs.

use crate::error::{Error, Result};
use crate::metadata::rows::{CommitRow, DeployRow, ReleaseRow, encode};
use crate::metadata::tables::{Tables, View, release_by_id, row};
use crate::names::{check_optional, check_text, check_version};
use crate::options::Quotas;
use crate::organisations::{IfMissing, Project, more};
use crate::page::{Listed, Page};
use crate::store::Artifacts;

/// Commits and deploys that one release keeps.
const MAX_COMMITS: usize = 2000;
const MAX_DEPLOYS: usize = 200;
const MAX_PROJECTS: usize = 100;

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// A number that no other release has.
    pub id: ReleaseId,
    /// Its name.
    pub version: String,
    /// Its projects.
    pub projects: Vec<Project>,
    /// When it came into being, in milliseconds since 1970.
    pub created_ms: u64,
    /// When something of it changed last, in milliseconds since 1970.
    pub changed_ms: u64,
    /// When the work on it began, as the client wrote it.
    pub started: Option<String>,
    /// When it was finished, as the client wrote it.
    pub released: Option<String>,
    /// The commit or tag.
    pub reference: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// How many bundles and single files it has.
    pub bundles: u64,
    /// How many commits were named.
    pub commits: u64,
    /// How many deploys were named.
    pub deploys: u64,
}

/// The number of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId(pub u64);

/// What a request says of a release; `None` leaves as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseChange {
    /// Slugs of projects that it belongs to, besides those that are known.
    pub projects: Vec<String>,
    /// When the work on it began.
    pub started: Option<String>,
    /// When it was finished.
    pub released: Option<String>,
    /// The commit or tag.
    pub reference: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// The commits, in place of those that are known.
    pub commits: Option<Vec<Commit>>,
}

/// A commit that is in a release, or the last one that is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its hash.
    pub id: String,
    /// Its repository.
    pub repository: Option<String>,
    /// The last commit of the release before, where a range is named.
    pub previous: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// Who made it.
    pub author_name: Option<String>,
    /// Their address.
    pub author_email: Option<String>,
    /// When, as the client wrote it.
    pub time: Option<String>,
}

/// A release that runs somewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deploy {
    /// Where.
    pub environment: String,
    /// Its name.
    pub name: Option<String>,
    /// A page about it.
    pub url: Option<String>,
    /// When it began, as the client wrote it.
    pub started: Option<String>,
    /// When it was done, as the client wrote it.
    pub finished: Option<String>,
    /// When it was told, in milliseconds since 1970. Set by [`Artifacts::add_deploy`].
    pub created_ms: u64,
}

impl Artifacts {
    /// A release; `None` when there is none of the name.
    pub fn release(&self, organisation: &str, version: &str) -> Result<Option<Release>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        match row(&view.releases, (owner.id, version))? {
            Some(row) => view.release(version, row).map(Some),
            None => Ok(None),
        }
    }

    /// Releases of an organisation, or of one project of it: what changed last stands first.
    pub fn releases(
        &self,
        organisation: &str,
        project: Option<&str>,
        page: &Page,
    ) -> Result<Listed<Release>> {
        let view = self.inner.metadata.view()?;
        let owner = view.known_organisation(organisation)?;
        let range = match project {
            Some(slug) => {
                let project = view.known_project(owner.id, slug)?;
                let from = (project.id, 0);
                view.project_releases
                    .range(from..(project.id, page.below()))?
            }
            None => {
                let from = (owner.id, 0);
                view.organisation_releases
                    .range(from..(owner.id, page.below()))?
            }
        };
        let mut items = Vec::new();
        let mut last = 0;
        for entry in range.rev() {
            let (key, id) = entry?;
            if items.len() == page.limit() {
                return Ok(more(items, |_| last.to_string()));
            }
            last = key.value().1;
            let (_, version, row) = release_by_id(&view.release_names, &view.releases, id.value())?;
            items.push(view.release(&version, row)?);
        }
        Ok(Listed { items, next: None })
    }

    /// Makes a release or changes it. Says also whether it is new.
    pub fn put_release(
        &self,
        organisation: &str,
        version: &str,
        change: &ReleaseChange,
        if_missing: IfMissing,
    ) -> Result<(Release, bool)> {
        change.check()?;
        let now = self.inner.now_ms();
        let quotas = &self.inner.options.quotas;
        let is_new = self.inner.change(|tables| {
            let owner = tables.organisation(organisation, if_missing, quotas, now)?;
            let mut projects = Vec::new();
            for slug in &change.projects {
                let row = tables.project(organisation, owner.id, slug, if_missing, quotas, now)?;
                projects.push(row.id);
            }
            // A release comes into being when it is named, also where organisations and projects do not.
            let (mut row, is_new) = tables.release(
                organisation,
                owner.id,
                version,
                IfMissing::Create,
                quotas,
                now,
            )?;
            change.apply(&mut row);
            if let Some(commits) = &change.commits {
                let rows: Vec<CommitRow> = commits.iter().map(commit_row).collect();
                row.commits = rows.len() as u64;
                tables.commits.insert(row.id, encode(&rows)?.as_slice())?;
            }
            tables.renew_release(owner.id, version, &mut row, &projects, now)?;
            Ok(is_new)
        })?;
        let release = self.release(organisation, version)?;
        let release = release.ok_or_else(|| Error::not_found("release", version))?;
        Ok((release, is_new))
    }

    /// The commits of a release.
    pub fn commits(&self, organisation: &str, version: &str) -> Result<Vec<Commit>> {
        let view = self.inner.metadata.view()?;
        let release = view.known_release(organisation, version)?;
        let rows: Vec<CommitRow> = row(&view.commits, release.id)?.unwrap_or_default();
        Ok(rows.into_iter().map(commit).collect())
    }

    /// Says that a release runs somewhere. Of very many, the oldest is forgotten.
    pub fn add_deploy(&self, organisation: &str, version: &str, deploy: &Deploy) -> Result<Deploy> {
        check_text("the environment", &deploy.environment)?;
        check_optional("the name of the deploy", deploy.name.as_ref())?;
        check_optional("the url", deploy.url.as_ref())?;
        check_optional("the date", deploy.started.as_ref())?;
        check_optional("the date", deploy.finished.as_ref())?;
        let now = self.inner.now_ms();
        let deploy = Deploy {
            created_ms: now,
            ..deploy.clone()
        };
        self.inner.change(|tables| {
            let owner = tables.known_organisation(organisation)?;
            let mut release: ReleaseRow = row(&tables.releases, (owner.id, version))?
                .ok_or_else(|| Error::not_found("release", version))?;
            let mut rows: Vec<DeployRow> = row(&tables.deploys, release.id)?.unwrap_or_default();
            if rows.len() >= MAX_DEPLOYS {
                rows.remove(0);
            }
            rows.push(deploy_row(&deploy));
            release.deploys = rows.len() as u64;
            release.changed_ms = now;
            tables
                .deploys
                .insert(release.id, encode(&rows)?.as_slice())?;
            tables.put_release(owner.id, version, &release)
        })?;
        Ok(deploy)
    }

    /// Where a release runs, the last one first.
    pub fn deploys(&self, organisation: &str, version: &str) -> Result<Vec<Deploy>> {
        let view = self.inner.metadata.view()?;
        let release = view.known_release(organisation, version)?;
        let rows: Vec<DeployRow> = row(&view.deploys, release.id)?.unwrap_or_default();
        Ok(rows.into_iter().rev().map(deploy).collect())
    }
}

impl ReleaseChange {
    fn check(&self) -> Result<()> {
        check_optional("the date", self.started.as_ref())?;
        check_optional("the date", self.released.as_ref())?;
        check_optional("the ref", self.reference.as_ref())?;
        check_optional("the url", self.url.as_ref())?;
        let too_many =
            |what, count: usize, rule| Err(Error::invalid(what, &count.to_string(), rule));
        if self.projects.len() > MAX_PROJECTS {
            return too_many("the number of projects", self.projects.len(), "is over 100");
        }
        let commits = self.commits.as_deref().unwrap_or_default();
        if commits.len() > MAX_COMMITS {
            return too_many("the number of commits", commits.len(), "is over 2000");
        }
        for commit in commits {
            check_text("the commit", &commit.id)?;
            check_optional("the repository", commit.repository.as_ref())?;
            check_optional("the commit", commit.previous.as_ref())?;
            check_optional("the author", commit.author_name.as_ref())?;
            check_optional("the author", commit.author_email.as_ref())?;
            check_optional("the date", commit.time.as_ref())?;
        }
        Ok(())
    }

    fn apply(&self, row: &mut ReleaseRow) {
        let fields = [
            (&mut row.started, &self.started),
            (&mut row.released, &self.released),
            (&mut row.reference, &self.reference),
            (&mut row.url, &self.url),
        ];
        for (old, new) in fields {
            if new.is_some() {
                old.clone_from(new);
            }
        }
    }
}

impl View {
    pub(crate) fn known_project(
        &self,
        owner: u64,
        slug: &str,
    ) -> Result<crate::metadata::rows::ProjectRow> {
        row(&self.projects, (owner, slug))?.ok_or_else(|| Error::not_found("project", slug))
    }

    pub(crate) fn known_release(&self, organisation: &str, version: &str) -> Result<ReleaseRow> {
        let owner = self.known_organisation(organisation)?;
        row(&self.releases, (owner.id, version))?
            .ok_or_else(|| Error::not_found("release", version))
    }

    fn release(&self, version: &str, row: ReleaseRow) -> Result<Release> {
        let mut projects = Vec::with_capacity(row.projects.len());
        for id in row.projects {
            projects.extend(self.project_by_id(id)?);
        }
        Ok(Release {
            id: ReleaseId(row.id),
            version: version.to_owned(),
            projects,
            created_ms: row.created_ms,
            changed_ms: row.changed_ms,
            started: row.started,
            released: row.released,
            reference: row.reference,
            url: row.url,
            bundles: row.bundles,
            commits: row.commits,
            deploys: row.deploys,
        })
    }
}

impl Tables<'_> {
    /// The row of a release, and whether it is new. A new one is in no list before [`renew_release`](Self::renew_release).
    pub(crate) fn release(
        &mut self,
        organisation: &str,
        owner: u64,
        version: &str,
        if_missing: IfMissing,
        quotas: &Quotas,
        now_ms: u64,
    ) -> Result<(ReleaseRow, bool)> {
        if let Some(row) = row(&self.releases, (owner, version))? {
            return Ok((row, false));
        }
        if if_missing == IfMissing::Refuse {
            return Err(Error::not_found("release", version));
        }
        check_version(version)?;
        self.change_organisation(owner, |_, row| {
            if row.releases >= quotas.releases {
                return Err(Error::Quota {
                    scope: format!("the organisation {organisation:?}"),
                    what: "releases",
                    limit: quotas.releases,
                });
            }
            row.releases += 1;
            Ok(())
        })?;
        let id = self.next_id()?;
        let row = ReleaseRow {
            id,
            seq: id,
            created_ms: now_ms,
            changed_ms: now_ms,
            started: None,
            released: None,
            reference: None,
            url: None,
            projects: Vec::new(),
            bundles: 0,
            commits: 0,
            deploys: 0,
        };
        self.release_names.insert(id, (owner, version))?;
        Ok((row, true))
    }

    /// Puts a release first in the lists of its organisation and of its projects, to which `projects` are added.
    pub(crate) fn renew_release(
        &mut self,
        owner: u64,
        version: &str,
        row: &mut ReleaseRow,
        projects: &[u64],
        now_ms: u64,
    ) -> Result<()> {
        self.unlist_release(owner, row)?;
        for project in projects {
            if !row.projects.contains(project) {
                row.projects.push(*project);
            }
        }
        row.projects.truncate(MAX_PROJECTS);
        row.seq = self.next_id()?;
        row.changed_ms = now_ms;
        self.organisation_releases
            .insert((owner, row.seq), row.id)?;
        for project in &row.projects {
            self.project_releases.insert((*project, row.seq), row.id)?;
        }
        self.put_release(owner, version, row)
    }

    /// Takes a release out of the lists.
    pub(crate) fn unlist_release(&mut self, owner: u64, row: &ReleaseRow) -> Result<()> {
        self.organisation_releases.remove((owner, row.seq))?;
        for project in &row.projects {
            self.project_releases.remove((*project, row.seq))?;
        }
        Ok(())
    }
}

fn commit_row(commit: &Commit) -> CommitRow {
    CommitRow {
        id: commit.id.clone(),
        repository: commit.repository.clone(),
        previous: commit.previous.clone(),
        // A message may be an essay; its beginning is enough to know it again.
        message: commit
            .message
            .as_ref()
            .map(|message| message.chars().take(1000).collect()),
        author_name: commit.author_name.clone(),
        author_email: commit.author_email.clone(),
        time: commit.time.clone(),
    }
}

fn commit(row: CommitRow) -> Commit {
    Commit {
        id: row.id,
        repository: row.repository,
        previous: row.previous,
        message: row.message,
        author_name: row.author_name,
        author_email: row.author_email,
        time: row.time,
    }
}

fn deploy_row(deploy: &Deploy) -> DeployRow {
    DeployRow {
        environment: deploy.environment.clone(),
        name: deploy.name.clone(),
        url: deploy.url.clone(),
        started: deploy.started.clone(),
        finished: deploy.finished.clone(),
        created_ms: deploy.created_ms,
    }
}

fn deploy(row: DeployRow) -> Deploy {
    Deploy {
        environment: row.environment,
        name: row.name,
        url: row.url,
        started: row.started,
        finished: row.finished,
        created_ms: row.created_ms,
    }
}
