//! The store against a naive model, on a machine that crashes: what was acknowledged is there, and what was not is there whole
//! or not at all.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use artifacts::{
    Artifacts, Assemble, BundleFilter, IfMissing, Page, ReleaseChange, Result, Sha1, SingleFile,
};
use bundle_maker::{ORG, bundle, file, small_options};
use host::sim::{Crash, SimHost};
use proptest::prelude::*;
use serde_json::json;

const PROJECTS: [&str; 2] = ["web", "api"];
const VERSIONS: [&str; 3] = ["1.0", "2.0", "3.0"];
const CONTENTS: usize = 4;

#[derive(Debug, Clone)]
enum Action {
    Upload {
        content: usize,
        project: usize,
        version: Option<usize>,
    },
    PutFile {
        content: usize,
        project: usize,
        version: usize,
    },
    PutRelease {
        project: usize,
        version: usize,
    },
    DeleteRelease {
        version: usize,
    },
    DeleteReleaseFiles {
        project: usize,
        version: usize,
    },
    DeleteProject {
        project: usize,
    },
    DeleteNewest,
    Sweep,
    Reopen,
}

/// An action, and perhaps a crash so many disk operations after it began.
#[derive(Debug, Clone)]
struct Step {
    action: Action,
    crash: Option<(u64, Crash)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let version = 0..VERSIONS.len();
    let project = 0..PROJECTS.len();
    let action = prop_oneof![
        5 => (0..CONTENTS, project.clone(), proptest::option::weighted(0.8, version.clone()))
            .prop_map(|(content, project, version)| Action::Upload { content, project, version }),
        3 => (0..CONTENTS, project.clone(), version.clone())
            .prop_map(|(content, project, version)| Action::PutFile { content, project, version }),
        1 => (project.clone(), version.clone())
            .prop_map(|(project, version)| Action::PutRelease { project, version }),
        1 => version.clone().prop_map(|version| Action::DeleteRelease { version }),
        1 => (project.clone(), version)
            .prop_map(|(project, version)| Action::DeleteReleaseFiles { project, version }),
        1 => project.prop_map(|project| Action::DeleteProject { project }),
        1 => Just(Action::DeleteNewest),
        1 => Just(Action::Sweep),
        1 => Just(Action::Reopen),
    ];
    let kind = prop_oneof![
        Just(Crash::KeepAll),
        Just(Crash::DropUnsynced),
        Just(Crash::Torn)
    ];
    let crash = proptest::option::weighted(0.3, (0..60_u64, kind));
    let step = (action, crash).prop_map(|(action, crash)| Step { action, crash });
    proptest::collection::vec(step, 1..16)
}

/// What a bundle or a single file is known by: SHA-1 and, of a file, its release.
type Identity = (Sha1, Option<usize>);
type Place = (usize, Option<usize>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Model {
    /// Projects of each release.
    releases: BTreeMap<usize, BTreeSet<usize>>,
    /// What came last stands last.
    uploads: Vec<(Identity, BTreeSet<Place>)>,
}

impl Model {
    fn upload(&mut self, identity: Identity, project: usize, version: Option<usize>) {
        let known = self
            .uploads
            .iter()
            .position(|(known, _)| *known == identity);
        let (_, mut places) =
            known.map_or((identity, BTreeSet::new()), |at| self.uploads.remove(at));
        let says_nothing_new = version.is_none() && places.iter().any(|place| place.0 == project);
        if !says_nothing_new {
            places.insert((project, version));
        }
        self.uploads.push((identity, places));
        if let Some(version) = version {
            self.releases.entry(version).or_default().insert(project);
        }
    }

    fn leave(&mut self, leaves: impl Fn(&Place) -> bool) {
        for (_, places) in &mut self.uploads {
            places.retain(|place| !leaves(place));
        }
        self.uploads.retain(|(_, places)| !places.is_empty());
    }
}

fn script(content: usize) -> String {
    format!("run({content});")
}

fn bundle_of(content: usize) -> Vec<u8> {
    let own = format!("c{content}.js");
    let files = [
        file(&own, "minified_source", json!({}), script(content)),
        file("shared.js", "minified_source", json!({}), "shared()"),
    ];
    bundle(None, &files)
}

fn run(artifacts: &Artifacts, action: &Action) -> Result<()> {
    match action {
        Action::Upload {
            content,
            project,
            version,
        } => {
            let bytes = bundle_of(*content);
            let chunks: Vec<&[u8]> = bytes.chunks(300).collect();
            for chunk in &chunks {
                artifacts.put_chunk(ORG, Sha1::of(chunk), &mut &chunk[..], IfMissing::Create)?;
            }
            let request = Assemble {
                organisation: ORG.to_owned(),
                checksum: Sha1::of(&bytes),
                chunks: chunks.iter().map(|chunk| Sha1::of(chunk)).collect(),
                projects: vec![PROJECTS[*project].to_owned()],
                version: version.map(|version| VERSIONS[version].to_owned()),
                dist: None,
            };
            artifacts.assemble(&request, IfMissing::Create)?;
        }
        Action::PutFile {
            content,
            project,
            version,
        } => {
            let single = SingleFile {
                name: "~/single.js".to_owned(),
                ..SingleFile::default()
            };
            let projects = [PROJECTS[*project].to_owned()];
            let text = script(*content);
            let version = VERSIONS[*version];
            artifacts.put_file(
                ORG,
                &projects,
                version,
                &single,
                &mut text.as_bytes(),
                IfMissing::Create,
            )?;
        }
        Action::PutRelease { project, version } => {
            let change = ReleaseChange {
                projects: vec![PROJECTS[*project].to_owned()],
                ..ReleaseChange::default()
            };
            artifacts.put_release(ORG, VERSIONS[*version], &change, IfMissing::Create)?;
        }
        Action::DeleteRelease { version } => {
            artifacts.delete_release(ORG, VERSIONS[*version])?;
        }
        Action::DeleteReleaseFiles { project, version } => {
            let known = artifacts.project(ORG, PROJECTS[*project])?.is_some()
                && artifacts.release(ORG, VERSIONS[*version])?.is_some();
            if known {
                artifacts.delete_release_files(
                    ORG,
                    Some(PROJECTS[*project]),
                    VERSIONS[*version],
                )?;
            }
        }
        Action::DeleteProject { project } => {
            artifacts.delete_project(ORG, PROJECTS[*project])?;
        }
        Action::DeleteNewest => {
            let newest = artifacts.bundles(ORG, &BundleFilter::default(), &Page::first(1))?;
            if let Some(newest) = newest.items.first() {
                artifacts.delete_bundle(ORG, newest.id)?;
            }
        }
        Action::Sweep => {
            artifacts.sweep()?;
        }
        Action::Reopen => {}
    }
    Ok(())
}

/// The states that the action may leave when it is interrupted; the last one is the one that it leads to.
fn outcomes(model: &Model, action: &Action) -> Vec<Model> {
    let mut next = model.clone();
    let mut states = vec![model.clone()];
    match action {
        Action::Upload {
            content,
            project,
            version,
        } => {
            next.upload((Sha1::of(&bundle_of(*content)), None), *project, *version);
        }
        Action::PutFile {
            content,
            project,
            version,
        } => {
            let sha1 = Sha1::of(script(*content).as_bytes());
            next.upload((sha1, Some(*version)), *project, Some(*version));
        }
        Action::PutRelease { project, version } => {
            next.releases.entry(*version).or_default().insert(*project);
        }
        Action::DeleteRelease { version } => {
            next.leave(|place| place.1 == Some(*version));
            states.push(next.clone());
            next.releases.remove(version);
        }
        Action::DeleteReleaseFiles { project, version } => {
            next.leave(|place| *place == (*project, Some(*version)));
        }
        Action::DeleteProject { project } => {
            next.leave(|place| place.0 == *project);
            states.push(next.clone());
            let mut alone = Vec::new();
            for (version, projects) in &mut next.releases {
                if projects.remove(project) && projects.is_empty() {
                    alone.push(*version);
                }
            }
            for version in &alone {
                next.releases.remove(version);
            }
        }
        Action::DeleteNewest => {
            next.uploads.pop();
        }
        Action::Sweep | Action::Reopen => {}
    }
    states.push(next);
    states
}

/// What the store says of itself, as the model has it; all bytes are read on the way.
fn read(artifacts: &Artifacts) -> Model {
    let mut model = Model::default();
    if artifacts.organisation(ORG).unwrap().is_none() {
        return model;
    }
    let index = |names: &[&str], name: &str| names.iter().position(|known| *known == name).unwrap();
    for release in artifacts
        .releases(ORG, None, &Page::default())
        .unwrap()
        .items
    {
        let projects = release
            .projects
            .iter()
            .map(|project| index(&PROJECTS, &project.slug));
        model
            .releases
            .insert(index(&VERSIONS, &release.version), projects.collect());
        let filter = BundleFilter {
            release: Some(release.version.clone()),
            project: None,
        };
        let bundles = artifacts
            .bundles(ORG, &filter, &Page::default())
            .unwrap()
            .items;
        assert_eq!(bundles.len() as u64, release.bundles);
    }
    let bundles = artifacts
        .bundles(ORG, &BundleFilter::default(), &Page::default())
        .unwrap()
        .items;
    let mut bytes = 0;
    for bundle in bundles.iter().rev() {
        let places: BTreeSet<Place> = bundle
            .places
            .iter()
            .map(|place| {
                let release = place.release.as_ref();
                (
                    index(&PROJECTS, &place.project),
                    release.map(|release| index(&VERSIONS, release)),
                )
            })
            .collect();
        let files = artifacts
            .bundle_files(ORG, bundle.id, &Page::default())
            .unwrap()
            .items;
        for file in &files {
            let read = artifacts.read_blob(file.sha256, 1 << 20).unwrap();
            assert_eq!(Sha1::of(&read), file.sha1);
            bytes += file.len;
        }
        let of_file = matches!(bundle.kind, artifacts::BundleKind::File);
        let release = of_file.then(|| places.iter().next().unwrap().1.unwrap());
        model.uploads.push(((bundle.sha1, release), places));
    }
    let organisation = artifacts.organisation(ORG).unwrap().unwrap();
    assert_eq!(organisation.bytes, bytes);
    assert_eq!(organisation.bundles, bundles.len() as u64);
    assert_eq!(organisation.releases, model.releases.len() as u64);
    model
}

/// How many files of blobs there are, and how many different contents the uploads have.
fn check_files(sim: &SimHost, artifacts: &Artifacts, model: &Model) {
    let mut contents = BTreeSet::new();
    if !model.uploads.is_empty() {
        for bundle in artifacts
            .bundles(ORG, &BundleFilter::default(), &Page::default())
            .unwrap()
            .items
        {
            let files = artifacts
                .bundle_files(ORG, bundle.id, &Page::default())
                .unwrap();
            contents.extend(files.items.iter().map(|file| file.sha256));
        }
    }
    let files = sim.host().files;
    let root = Path::new("data/artifacts/blobs");
    let mut found = 0;
    for folder in files.list(root).unwrap() {
        found += files.list(&root.join(folder.name)).unwrap().len();
    }
    assert_eq!(found, contents.len());
}

fn open(sim: &SimHost) -> Artifacts {
    Artifacts::open(&sim.host(), Path::new("data"), small_options()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn the_store_does_what_a_naive_model_does_also_when_it_crashes(steps in steps(), seed in any::<u64>()) {
        let sim = SimHost::new(seed);
        let mut artifacts = open(&sim);
        artifacts.create_organisation(ORG).unwrap();
        let mut model = Model::default();
        let mut generation = artifacts.generation();
        for step in steps {
            let states = outcomes(&model, &step.action);
            let done = match step.crash {
                Some((operations, crash)) => {
                    sim.disk().cut_power_after(operations);
                    let done = run(&artifacts, &step.action).is_ok();
                    drop(artifacts);
                    sim.crash(crash);
                    artifacts = open(&sim);
                    done
                }
                None => {
                    run(&artifacts, &step.action).unwrap();
                    if matches!(step.action, Action::Reopen) {
                        drop(artifacts);
                        artifacts = open(&sim);
                    }
                    true
                }
            };
            let found = read(&artifacts);
            if done {
                prop_assert_eq!(Some(&found), states.last());
            } else {
                prop_assert!(states.contains(&found), "{:?} is none of {:?}", found, states);
            }
            check_files(&sim, &artifacts, &found);
            prop_assert!(artifacts.generation() >= generation);
            prop_assert!(found == model || artifacts.generation() > generation || found.uploads == model.uploads);
            generation = artifacts.generation();
            model = found;
        }
    }

    #[test]
    fn a_store_that_is_made_while_the_power_goes_can_be_made_again(operations in 0..80_u64, seed in any::<u64>()) {
        let sim = SimHost::new(seed);
        sim.disk().cut_power_after(operations);
        let made = Artifacts::open(&sim.host(), Path::new("data"), small_options());
        drop(made);
        sim.crash(Crash::Torn);
        let artifacts = open(&sim);
        artifacts.create_organisation(ORG).unwrap();
    }
}
