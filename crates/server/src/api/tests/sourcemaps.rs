//! What was uploaded, as the document says it.

use std::path::Path;

use artifacts::{
    Artifacts, BundleFilter, Commit, Deploy, IfMissing, Options, Page, ReleaseChange, SingleFile,
};
use host::sim::SimHost;

/// On a machine that is made up, so that nothing is left of it.
pub(super) fn artifacts() -> Artifacts {
    let host = SimHost::new(1).host();
    Artifacts::open(&host, Path::new("/data"), Options::default()).unwrap()
}

/// A release with one of everything.
pub(super) fn fill(artifacts: &Artifacts) {
    let commit = Commit {
        id: "974ef387".to_owned(),
        message: Some("one".to_owned()),
        ..Commit::default()
    };
    let change = ReleaseChange {
        projects: vec!["web".to_owned()],
        commits: Some(vec![commit]),
        ..ReleaseChange::default()
    };
    let release = artifacts.put_release("acme", "web@1", &change, IfMissing::Create);
    assert!(release.unwrap().1);
    let deploy = Deploy {
        environment: "production".to_owned(),
        ..Deploy::default()
    };
    artifacts.add_deploy("acme", "web@1", &deploy).unwrap();
    let file = SingleFile {
        name: "~/main.js".to_owned(),
        ..SingleFile::default()
    };
    let projects = ["web".to_owned()];
    let text = &mut &b"f()"[..];
    artifacts
        .put_file("acme", &projects, "web@1", &file, text, IfMissing::Create)
        .unwrap();
}

/// Path of the document, status and address, of what [`fill`] made.
pub(super) fn examples(artifacts: &Artifacts) -> Vec<(&'static str, &'static str, String)> {
    let bundles = artifacts.bundles("acme", &BundleFilter::default(), &Page::default());
    let id = bundles.unwrap().items[0].id.0;
    let root = "/sourcemaps/organizations";
    [
        (ORGANIZATIONS, "200", String::new()),
        (PROJECTS, "200", "/acme/projects".to_owned()),
        (RELEASES, "200", "/acme/releases?limit=1".to_owned()),
        (RELEASE, "200", "/acme/releases/web%401".to_owned()),
        (RELEASE, "404", "/acme/releases/2".to_owned()),
        (BUNDLES, "200", "/acme/bundles?project=web".to_owned()),
        (BUNDLE, "200", format!("/acme/bundles/{id}")),
        (BUNDLE, "400", "/acme/bundles/x".to_owned()),
    ]
    .map(|(path, status, address)| (path, status, format!("{root}{address}")))
    .into()
}

const ORGANIZATIONS: &str = "/sourcemaps/organizations";
const PROJECTS: &str = "/sourcemaps/organizations/{organization}/projects";
const RELEASES: &str = "/sourcemaps/organizations/{organization}/releases";
const RELEASE: &str = "/sourcemaps/organizations/{organization}/releases/{version}";
const BUNDLES: &str = "/sourcemaps/organizations/{organization}/bundles";
const BUNDLE: &str = "/sourcemaps/organizations/{organization}/bundles/{bundle_id}";
