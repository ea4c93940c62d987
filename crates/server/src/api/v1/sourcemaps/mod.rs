//! `/sourcemaps`: what was uploaded, for people and the page; and deleting it.
//!
//! Names are those of the upload protocol, so a project stands below its organization.

mod shapes;

use artifacts::{Artifacts, BundleFilter, BundleId, Page};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, put};
use http::{HeaderMap, Uri};
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::api::failure::Failure;
use crate::api::parameters::Parameters;
use crate::api::same_site::refuse_other_sites;
use crate::api::{Api, Json};

use shapes::{
    BundleShape, FileShape, OrganizationShape, ProjectShape, ReleaseDetail, ReleaseShape,
};

/// What a list has unless it is asked for less or more.
const DEFAULT_LIMIT: usize = 100;
/// Files of a bundle that are shown with it; its count says how many there are.
const MAX_FILES: usize = 1000;

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/sourcemaps/organizations", get(organizations))
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/projects",
            get(projects),
        )
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/projects/{project}/services/{service}",
            put(map_service).delete(unmap_service),
        )
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/releases",
            get(releases),
        )
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/releases/{version}",
            get(release).delete(delete_release),
        )
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/bundles",
            get(bundles),
        )
        .route(
            "/api/v1/sourcemaps/organizations/{organization}/bundles/{bundle_id}",
            get(bundle).delete(delete_bundle),
        )
}

/// `GET …/organizations`.
async fn organizations(State(api): State<Api>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        organizations: Vec<OrganizationShape>,
        next_cursor: Option<String>,
    }
    let page = page(&uri, &[])?.1;
    let answer = read(&api, move |artifacts| {
        let listed = artifacts.organisations(&page)?;
        Json::write(&Body {
            organizations: shaped(listed.items),
            next_cursor: listed.next,
        })
    });
    Ok(answer.await?)
}

/// `GET …/projects`.
async fn projects(State(api): State<Api>, Path(org): Path<String>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        projects: Vec<ProjectShape>,
        next_cursor: Option<String>,
    }
    let page = page(&uri, &[])?.1;
    let answer = read(&api, move |artifacts| {
        let listed = artifacts.projects(&org, &page)?;
        Json::write(&Body {
            projects: shaped(listed.items),
            next_cursor: listed.next,
        })
    });
    Ok(answer.await?)
}

/// An address of a service that a project serves.
#[derive(Deserialize)]
struct OfService {
    organization: String,
    project: String,
    service: String,
}

/// `PUT …/services/{service}`: from now on the maps of the project serve the service.
async fn map_service(
    State(api): State<Api>,
    Path(of): Path<OfService>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    refuse_other_sites(&headers)?;
    let answer = read(&api, move |artifacts| {
        let project = artifacts.map_service(&of.organization, &of.project, &of.service)?;
        Json::write(&ProjectShape::from(project))
    });
    Ok(answer.await?)
}

/// `DELETE …/services/{service}`.
async fn unmap_service(
    State(api): State<Api>,
    Path(of): Path<OfService>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    refuse_other_sites(&headers)?;
    let answer = read(&api, move |artifacts| {
        let project = artifacts.unmap_service(&of.organization, &of.project, &of.service)?;
        Json::write(&ProjectShape::from(project))
    });
    Ok(answer.await?)
}

/// `GET …/releases`: what changed last stands first.
async fn releases(State(api): State<Api>, Path(org): Path<String>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        releases: Vec<ReleaseShape>,
        next_cursor: Option<String>,
    }
    let (parameters, page) = page(&uri, &["project"])?;
    let answer = read(&api, move |artifacts| {
        let listed = artifacts.releases(&org, parameters.get("project"), &page)?;
        Json::write(&Body {
            releases: shaped(listed.items),
            next_cursor: listed.next,
        })
    });
    Ok(answer.await?)
}

/// `GET …/releases/{version}`, with its commits, deploys and newest bundles.
async fn release(
    State(api): State<Api>,
    Path((org, version)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    let answer = read(&api, move |artifacts| {
        let release = artifacts
            .release(&org, &version)?
            .ok_or_else(|| no_release(&org, &version))?;
        let filter = BundleFilter {
            project: None,
            release: Some(version.clone()),
        };
        let bundles = artifacts.bundles(&org, &filter, &Page::first(DEFAULT_LIMIT))?;
        let detail = ReleaseDetail::of(
            release,
            artifacts.commits(&org, &version)?,
            artifacts.deploys(&org, &version)?,
            bundles,
        );
        Json::write(&detail)
    });
    Ok(answer.await?)
}

/// `GET …/bundles`: what came last stands first.
async fn bundles(State(api): State<Api>, Path(org): Path<String>, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Body {
        bundles: Vec<BundleShape>,
        next_cursor: Option<String>,
    }
    let (parameters, page) = page(&uri, &["project", "release"])?;
    let filter = BundleFilter {
        project: parameters.get("project").map(str::to_owned),
        release: parameters.get("release").map(str::to_owned),
    };
    let answer = read(&api, move |artifacts| {
        let listed = artifacts.bundles(&org, &filter, &page)?;
        let release = filter.release.as_deref();
        Json::write(&Body {
            bundles: listed
                .items
                .into_iter()
                .map(|bundle| BundleShape::of(bundle, release))
                .collect(),
            next_cursor: listed.next,
        })
    });
    Ok(answer.await?)
}

/// `GET …/bundles/{bundle_id}`, with its files.
async fn bundle(
    State(api): State<Api>,
    Path((org, id)): Path<(String, String)>,
    uri: Uri,
) -> Answer {
    #[derive(Serialize)]
    struct Body {
        #[serde(flatten)]
        bundle: BundleShape,
        files: Vec<FileShape>,
        truncated: bool,
    }
    Parameters::of(&uri)?.refuse_others(&[])?;
    let id = bundle_id(&id)?;
    let answer = read(&api, move |artifacts| {
        let bundle = artifacts
            .bundle(&org, id)?
            .ok_or_else(|| no_bundle(&org, id))?;
        let files = artifacts.bundle_files(&org, id, &Page::first(MAX_FILES))?;
        Json::write(&Body {
            bundle: BundleShape::of(bundle, None),
            truncated: files.next.is_some(),
            files: shaped(files.items),
        })
    });
    Ok(answer.await?)
}

/// `DELETE …/releases/{version}`, with its bundles as far as they are in no other release.
async fn delete_release(
    State(api): State<Api>,
    Path((org, version)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    refuse_other_sites(&headers)?;
    let answer = read(&api, move |artifacts| {
        if !artifacts.delete_release(&org, &version)? {
            return Err(no_release(&org, &version));
        }
        tracing::info!(org, version, "release deleted on request");
        Json::write(&Deleted {})
    });
    Ok(answer.await?)
}

/// `DELETE …/bundles/{bundle_id}`.
async fn delete_bundle(
    State(api): State<Api>,
    Path((org, id)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    Parameters::of(&uri)?.refuse_others(&[])?;
    refuse_other_sites(&headers)?;
    let id = bundle_id(&id)?;
    let answer = read(&api, move |artifacts| {
        if !artifacts.delete_bundle(&org, id)? {
            return Err(no_bundle(&org, id));
        }
        tracing::info!(org, bundle = id.0, "bundle deleted on request");
        Json::write(&Deleted {})
    });
    Ok(answer.await?)
}

/// It was there, and is no more.
#[derive(Serialize)]
struct Deleted {}

/// Runs what reads or writes files where questions run, behind the same gate.
async fn read<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(&Artifacts) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let artifacts = api.artifacts.clone();
    api.gate.run(move |_| work(&artifacts)).await?
}

/// The parameters of a list, and the part of it that they ask for.
fn page(uri: &Uri, known: &[&str]) -> Result<(Parameters, Page), Failure> {
    let parameters = Parameters::of(uri)?;
    parameters.refuse_others(&[known, &["limit", "cursor"]].concat())?;
    parameters.refuse_repeats(&[])?;
    let expected = format!("a number from 1 to {}", Page::MAX);
    let limit = parameters.parse("limit", &expected, |text| {
        let limit = text.parse().ok();
        limit.filter(|limit| (1..=Page::MAX).contains(limit))
    })?;
    let page = Page {
        after: parameters.get("cursor").map(str::to_owned),
        limit: limit.unwrap_or(DEFAULT_LIMIT),
    };
    Ok((parameters, page))
}

fn bundle_id(text: &str) -> Result<BundleId, Failure> {
    text.parse()
        .map(BundleId)
        .map_err(|_| Failure::Invalid(format!("bundle_id: {text:?} is not a number")))
}

fn no_release(org: &str, version: &str) -> Failure {
    Failure::NotFound(format!("organization {org:?} has no release {version:?}"))
}

fn no_bundle(org: &str, id: BundleId) -> Failure {
    Failure::NotFound(format!("organization {org:?} has no bundle {}", id.0))
}

fn shaped<T, S: From<T>>(items: Vec<T>) -> Vec<S> {
    items.into_iter().map(S::from).collect()
}
