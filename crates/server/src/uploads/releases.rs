//! Releases and their commits.

use artifacts::{Commit, Page, Project, Release, ReleaseChange};
use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::Json;
use super::refusal::Refusal;
use super::rfc3339::rfc3339;
use super::{Answer, Uploads, body};

/// What a list has at most. The clients show the first page.
const MAX_LISTED: usize = 100;

/// An address of releases; only older clients name the project.
#[derive(Deserialize)]
pub(super) struct OfReleases {
    org: String,
    project: Option<String>,
}

/// An address of one release.
#[derive(Deserialize)]
pub(super) struct OfRelease {
    org: String,
    project: Option<String>,
    version: String,
}

/// `POST …/releases/`, `PUT …/releases/{version}/`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Change {
    version: Option<String>,
    projects: Option<Vec<String>>,
    date_started: Option<String>,
    date_released: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    url: Option<String>,
    commits: Option<Vec<SentCommit>>,
    refs: Option<Vec<Range>>,
}

/// A commit that the client read from its checkout.
#[derive(Deserialize)]
struct SentCommit {
    id: String,
    repository: Option<String>,
    message: Option<String>,
    author_name: Option<String>,
    author_email: Option<String>,
    timestamp: Option<String>,
}

/// The last commit of a release, and of the one before it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    repository: Option<String>,
    commit: String,
    previous_commit: Option<String>,
}

impl Change {
    /// The part that is not the version. The project of the address is one of its projects.
    fn of(self, project: Option<String>) -> ReleaseChange {
        let mut projects = self.projects.unwrap_or_default();
        projects.extend(project.filter(|project| !projects.contains(project)));
        let ranges = self.refs.map(|ranges| {
            let commits = ranges.into_iter().map(|range| Commit {
                id: range.commit,
                repository: range.repository,
                previous: range.previous_commit,
                ..Commit::default()
            });
            commits.collect()
        });
        let commits = self.commits.map(|commits| {
            let commits = commits.into_iter().map(|commit| Commit {
                id: commit.id,
                repository: commit.repository,
                previous: None,
                message: commit.message,
                author_name: commit.author_name,
                author_email: commit.author_email,
                time: commit.timestamp,
            });
            commits.collect()
        });
        ReleaseChange {
            projects,
            started: self.date_started,
            released: self.date_released,
            reference: self.reference,
            url: self.url,
            commits: commits.or(ranges),
        }
    }
}

/// `GET …/releases/`: what changed last stands first.
pub(super) async fn list(State(uploads): State<Uploads>, Path(of): Path<OfReleases>) -> Answer {
    let listed = uploads
        .run(move |artifacts| {
            artifacts.releases(&of.org, of.project.as_deref(), &Page::first(MAX_LISTED))
        })
        .await;
    let releases = match listed {
        Ok(listed) => listed.items,
        // What comes into being at its first use has no releases before.
        Err(Refusal::NotFound(_)) => Vec::new(),
        Err(refusal) => return Err(refusal),
    };
    let releases: Vec<Shape> = releases.iter().map(Shape::of).collect();
    Json::ok(&releases)
}

/// `POST …/releases/`: makes a release, or changes the one that is there.
pub(super) async fn create(
    State(uploads): State<Uploads>,
    Path(of): Path<OfReleases>,
    request: Request,
) -> Answer {
    let mut change: Change = body::json(request, uploads.idle).await?;
    let version = change.version.take();
    let version = version.ok_or_else(|| Refusal::Invalid("the version is missing".to_owned()))?;
    let change = change.of(of.project);
    let if_missing = uploads.if_missing();
    let (release, is_new) = uploads
        .run(move |artifacts| artifacts.put_release(&of.org, &version, &change, if_missing))
        .await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::ALREADY_REPORTED
    };
    Json::with(status, &Shape::of(&release))
}

/// `PUT …/releases/{version}/`: commits, dates. A release that is not there comes into being.
pub(super) async fn update(
    State(uploads): State<Uploads>,
    Path(of): Path<OfRelease>,
    request: Request,
) -> Answer {
    let change: Change = body::json(request, uploads.idle).await?;
    let change = change.of(of.project);
    let if_missing = uploads.if_missing();
    let (release, _) = uploads
        .run(move |artifacts| artifacts.put_release(&of.org, &of.version, &change, if_missing))
        .await?;
    Json::ok(&Shape::of(&release))
}

/// `GET …/releases/{version}/`.
pub(super) async fn get(State(uploads): State<Uploads>, Path(of): Path<OfRelease>) -> Answer {
    let missing = format!("there is no release {:?}", of.version);
    let release = uploads
        .run(move |artifacts| artifacts.release(&of.org, &of.version))
        .await?;
    let release = release.ok_or(Refusal::NotFound(missing))?;
    Json::ok(&Shape::of(&release))
}

/// `DELETE …/releases/{version}/`.
pub(super) async fn delete(State(uploads): State<Uploads>, Path(of): Path<OfRelease>) -> Answer {
    let missing = format!("there is no release {:?}", of.version);
    let was_there = uploads
        .run(move |artifacts| artifacts.delete_release(&of.org, &of.version))
        .await?;
    if was_there {
        Ok(Json::no_content())
    } else {
        Err(Refusal::NotFound(missing))
    }
}

/// `GET …/previous-with-commits/`: none, so that clients send the commits that they find.
pub(super) async fn previous_with_commits() -> Answer {
    #[derive(Serialize)]
    struct Nothing {}
    Json::ok(&Nothing {})
}

/// A release as the clients read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    id: u64,
    version: &'a str,
    short_version: &'a str,
    status: &'static str,
    url: Option<&'a str>,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    date_created: String,
    date_started: Option<&'a str>,
    date_released: Option<&'a str>,
    first_event: Option<()>,
    last_event: Option<()>,
    new_groups: u64,
    commit_count: u64,
    deploy_count: u64,
    authors: [(); 0],
    projects: Vec<ProjectShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectShape<'a> {
    id: u64,
    slug: &'a str,
    name: &'a str,
    platform: &'static str,
    platforms: [&'static str; 1],
    new_groups: u64,
    has_health_data: bool,
}

impl<'a> Shape<'a> {
    fn of(release: &'a Release) -> Self {
        Self {
            id: release.id.0,
            version: &release.version,
            short_version: &release.version,
            status: "open",
            url: release.url.as_deref(),
            reference: release.reference.as_deref(),
            date_created: rfc3339(release.created_ms),
            date_started: release.started.as_deref(),
            date_released: release.released.as_deref(),
            first_event: None,
            last_event: None,
            new_groups: 0,
            commit_count: release.commits,
            deploy_count: release.deploys,
            authors: [],
            projects: release.projects.iter().map(ProjectShape::of).collect(),
        }
    }
}

impl<'a> ProjectShape<'a> {
    fn of(project: &'a Project) -> Self {
        Self {
            id: project.id,
            slug: &project.slug,
            name: &project.name,
            platform: "javascript",
            platforms: ["javascript"],
            new_groups: 0,
            has_health_data: false,
        }
    }
}
