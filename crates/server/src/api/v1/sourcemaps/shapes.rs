//! What was uploaded, as JSON.

use artifacts::{
    BundleKind, Commit, Deploy, FileKind, Listed, Organisation, Project, Release, StoredBundle,
    StoredFile,
};
use serde::Serialize;

const MS_PER_DAY: u64 = 86_400_000;

#[derive(Serialize)]
pub(super) struct OrganizationShape {
    slug: String,
    created_unix_ms: u64,
    project_count: u64,
    release_count: u64,
    bundle_count: u64,
    bytes: u64,
    chunk_bytes: u64,
}

impl From<Organisation> for OrganizationShape {
    fn from(organisation: Organisation) -> Self {
        Self {
            slug: organisation.slug,
            created_unix_ms: organisation.created_ms,
            project_count: organisation.projects,
            release_count: organisation.releases,
            bundle_count: organisation.bundles,
            bytes: organisation.bytes,
            chunk_bytes: organisation.chunk_bytes,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ProjectShape {
    slug: String,
    created_unix_ms: u64,
    /// Mapped by hand, besides the one of its own name.
    services: Vec<String>,
}

impl From<Project> for ProjectShape {
    fn from(project: Project) -> Self {
        Self {
            slug: project.slug,
            created_unix_ms: project.created_ms,
            services: project.services,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReleaseShape {
    version: String,
    projects: Vec<String>,
    created_unix_ms: u64,
    changed_unix_ms: u64,
    /// Dates and names as the client wrote them.
    started: Option<String>,
    released: Option<String>,
    reference: Option<String>,
    url: Option<String>,
    bundle_count: u64,
    commit_count: u64,
    deploy_count: u64,
}

impl From<Release> for ReleaseShape {
    fn from(release: Release) -> Self {
        let projects = release.projects.into_iter();
        Self {
            version: release.version,
            projects: projects.map(|project| project.slug).collect(),
            created_unix_ms: release.created_ms,
            changed_unix_ms: release.changed_ms,
            started: release.started,
            released: release.released,
            reference: release.reference,
            url: release.url,
            bundle_count: release.bundles,
            commit_count: release.commits,
            deploy_count: release.deploys,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ReleaseDetail {
    #[serde(flatten)]
    release: ReleaseShape,
    commits: Vec<CommitShape>,
    deploys: Vec<DeployShape>,
    bundles: Vec<BundleShape>,
    /// Whether there are more bundles than are here.
    truncated: bool,
}

impl ReleaseDetail {
    pub(super) fn of(
        release: Release,
        commits: Vec<Commit>,
        deploys: Vec<Deploy>,
        bundles: Listed<StoredBundle>,
    ) -> Self {
        let release = ReleaseShape::from(release);
        let listed = bundles.items.into_iter();
        Self {
            commits: super::shaped(commits),
            deploys: super::shaped(deploys),
            bundles: listed
                .map(|bundle| BundleShape::of(bundle, Some(&release.version)))
                .collect(),
            truncated: bundles.next.is_some(),
            release,
        }
    }
}

#[derive(Serialize)]
pub(super) struct CommitShape {
    id: String,
    repository: Option<String>,
    previous: Option<String>,
    message: Option<String>,
    author_name: Option<String>,
    author_email: Option<String>,
    time: Option<String>,
}

impl From<Commit> for CommitShape {
    fn from(commit: Commit) -> Self {
        Self {
            id: commit.id,
            repository: commit.repository,
            previous: commit.previous,
            message: commit.message,
            author_name: commit.author_name,
            author_email: commit.author_email,
            time: commit.time,
        }
    }
}

#[derive(Serialize)]
pub(super) struct DeployShape {
    environment: String,
    name: Option<String>,
    url: Option<String>,
    started: Option<String>,
    finished: Option<String>,
    created_unix_ms: u64,
}

impl From<Deploy> for DeployShape {
    fn from(deploy: Deploy) -> Self {
        Self {
            environment: deploy.environment,
            name: deploy.name,
            url: deploy.url,
            started: deploy.started,
            finished: deploy.finished,
            created_unix_ms: deploy.created_ms,
        }
    }
}

#[derive(Serialize)]
pub(super) struct BundleShape {
    id: String,
    kind: &'static str,
    /// The first of `places`, or the first in the release that was asked about.
    release: Option<String>,
    dist: Option<String>,
    places: Vec<PlaceShape>,
    debug_id: Option<String>,
    sha1: String,
    sha256: String,
    created_unix_ms: u64,
    uploaded_unix_ms: u64,
    /// The beginning of the day on which it resolved a frame, or came, last.
    last_used_unix_ms: u64,
    file_count: u32,
    bytes: u64,
}

#[derive(Serialize)]
struct PlaceShape {
    project: String,
    release: Option<String>,
    dist: Option<String>,
}

impl BundleShape {
    pub(super) fn of(bundle: StoredBundle, release: Option<&str>) -> Self {
        let place = bundle
            .places
            .iter()
            .find(|place| release.is_none_or(|release| place.release.as_deref() == Some(release)));
        Self {
            id: bundle.id.0.to_string(),
            kind: match bundle.kind {
                BundleKind::Bundle => "bundle",
                BundleKind::File => "file",
            },
            release: place.and_then(|place| place.release.clone()),
            dist: place.and_then(|place| place.dist.clone()),
            debug_id: bundle.debug_id.map(|id| id.to_string()),
            sha1: bundle.sha1.to_string(),
            sha256: bundle.sha256.to_string(),
            created_unix_ms: bundle.created_ms,
            uploaded_unix_ms: bundle.uploaded_ms,
            last_used_unix_ms: bundle.used_day.saturating_mul(MS_PER_DAY),
            file_count: bundle.files,
            bytes: bundle.bytes,
            places: bundle
                .places
                .into_iter()
                .map(|place| PlaceShape {
                    project: place.project,
                    release: place.release,
                    dist: place.dist,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FileShape {
    url: String,
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    debug_id: Option<String>,
    /// What the upload or the text of the file names as its map.
    source_map: Option<String>,
    has_inline_map: bool,
    /// What a map says that it is for.
    map_file: Option<String>,
    bytes: u64,
    sha1: String,
    sha256: String,
}

impl From<StoredFile> for FileShape {
    fn from(file: StoredFile) -> Self {
        let header = file.source_map_header().map(str::to_owned);
        Self {
            kind: match file.kind {
                FileKind::MinifiedSource => "minified_source",
                FileKind::SourceMap => "source_map",
                FileKind::Source => "source",
                FileKind::Other => "other",
            },
            debug_id: file.debug_id.map(|id| id.to_string()),
            source_map: header.or(file.source_mapping_url),
            has_inline_map: file.inline_map,
            map_file: file.map_file,
            bytes: file.len,
            sha1: file.sha1.to_string(),
            sha256: file.sha256.to_string(),
            url: file.url,
            path: file.path,
        }
    }
}
