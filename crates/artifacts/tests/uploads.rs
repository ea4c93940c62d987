//! What is uploaded can be found, listed and deleted, also after a restart.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::collections::BTreeMap;
use std::path::Path;

use artifacts::{
    Artifacts, Assembled, BundleFilter, BundleKind, Commit, Deploy, Error, ErrorClass, FileKind,
    IfMissing, Options, Page, ReleaseChange, Sha1, SingleFile,
};
use bundle_maker::{ORG, PROJECT, archive, bundle, file, request, upload, upload_in};
use host::sim::SimHost;
use serde_json::json;

const ID: &str = "492b6f62-7cfd-522c-9ab6-394ca67df4cd";
const APP: &str = "run();\n//# sourceMappingURL=app.js.map\n";
const MAP: &str = r#"{"version":3,"file":"app.xxxxxxxx.js","sources":[],"names":[],"mappings":""}"#;

fn open(sim: &SimHost) -> Artifacts {
    open_with(sim, bundle_maker::small_options())
}

fn open_with(sim: &SimHost, options: Options) -> Artifacts {
    Artifacts::open(&sim.host(), Path::new("data"), options).unwrap()
}

fn app_bundle(release: Option<&str>) -> Vec<u8> {
    let files = [
        file(
            "app.js",
            "minified_source",
            json!({"Sourcemap": "wrong.map", "Debug-Id": ID}),
            APP,
        ),
        file("app.js.map", "source_map", json!({"debug-id": ID}), MAP),
    ];
    bundle(release, &files)
}

#[test]
fn a_bundle_in_chunks_is_found_by_release_and_by_debug_id_also_after_a_restart() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    let bytes = app_bundle(Some("1.0"));
    let asked = artifacts.assemble(&request(&bytes, 64, Some("1.0")), IfMissing::Create);
    let all: Vec<Sha1> = bytes.chunks(64).map(Sha1::of).collect();
    assert_eq!(asked.unwrap(), Assembled::Missing(all.clone()));
    assert_eq!(artifacts.missing(ORG, &all).unwrap(), all);
    let done = upload_in(&artifacts, &bytes, 64, Some("1.0")).unwrap();
    let Assembled::Done(id) = done else {
        panic!("{done:?}");
    };
    assert_eq!(artifacts.missing(ORG, &all).unwrap(), []);
    drop(artifacts);

    let artifacts = open(&sim);
    let serving = artifacts.serving(PROJECT).unwrap();
    let releases = artifacts.releases_named("1.0", &serving).unwrap();
    assert_eq!(releases, artifacts.newest_releases(&serving, 50).unwrap());
    let found = artifacts
        .files_of_release(releases[0].id, &serving, 100)
        .unwrap();
    assert!(!found.truncated);
    let [app, map] = &found.files[..] else {
        panic!("{found:?}");
    };
    assert_eq!((app.file.bundle, app.file.url.as_str()), (id, "~/app.js"));
    assert_eq!(app.file.kind, FileKind::MinifiedSource);
    assert_eq!(app.file.source_map_header(), Some("wrong.map"));
    assert_eq!(app.file.source_mapping_url.as_deref(), Some("app.js.map"));
    assert_eq!(app.dists, [None]);
    assert_eq!(map.file.map_file.as_deref(), Some("app.xxxxxxxx.js"));
    assert_eq!(
        artifacts.read_blob(map.file.sha256, 1000).unwrap(),
        MAP.as_bytes()
    );
    let by_id = artifacts
        .files_by_debug_id(ID.parse().unwrap(), &serving)
        .unwrap();
    let mut urls: Vec<&str> = by_id.iter().map(|found| found.file.url.as_str()).collect();
    urls.sort_unstable();
    assert_eq!(urls, ["~/app.js", "~/app.js.map"]);
}

#[test]
fn a_bundle_without_the_header_and_one_whose_offsets_count_from_the_archive_are_read() {
    let artifacts = open(&SimHost::new(1));
    let manifest = json!({"files": {"_/_/a.js": {"type": "minified_source", "url": "~/a.js"}}});
    let bare = archive(b"", &manifest.to_string(), &[("_/_/a.js", b"a()")]);
    upload(&artifacts, &bare, Some("bare")).unwrap();
    let shifted = [b"SYSB\x02\0\0\0", &bare[..]].concat();
    upload(&artifacts, &shifted, Some("shifted")).unwrap();
    assert_eq!(
        artifacts
            .bundles(ORG, &BundleFilter::default(), &Page::default())
            .unwrap()
            .items
            .len(),
        2
    );
}

#[test]
fn the_debug_id_of_a_file_without_a_header_comes_from_its_text() {
    let artifacts = open(&SimHost::new(1));
    let text = format!("run();\n//# debugId={ID}\n");
    let map = format!(r#"{{"version":3,"mappings":"","debugId":"{ID}"}}"#);
    let files = [
        file("app.js", "minified_source", json!({}), text),
        file("app.js.map", "source_map", json!(null), map),
    ];
    upload(&artifacts, &bundle(None, &files), None).unwrap();
    let serving = artifacts.serving(PROJECT).unwrap();
    let found = artifacts
        .files_by_debug_id(ID.parse().unwrap(), &serving)
        .unwrap();
    assert_eq!(found.len(), 2);
}

#[test]
fn the_same_bundle_again_changes_nothing_but_dates_and_order() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    let first = upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    let other = upload(&artifacts, &bundle(Some("1.0"), &[]), Some("1.0")).unwrap();
    let before = artifacts.bundle(ORG, first).unwrap().unwrap();
    let counted = artifacts.organisation(ORG).unwrap().unwrap();
    sim.clock().advance(std::time::Duration::from_mins(1));
    // Also when nobody remembers its chunks, and when the request says less.
    let mut again = request(&app_bundle(Some("1.0")), 7, None);
    again.projects.clear();
    let done = artifacts.assemble(&again, IfMissing::Refuse).unwrap();
    assert_eq!(done, Assembled::Done(first));
    let mut after = artifacts.bundle(ORG, first).unwrap().unwrap();
    assert!(after.uploaded_ms > before.uploaded_ms);
    after.uploaded_ms = before.uploaded_ms;
    assert_eq!(after, before);
    assert_eq!(artifacts.organisation(ORG).unwrap().unwrap(), counted);
    let listed = artifacts
        .bundles(ORG, &BundleFilter::default(), &Page::default())
        .unwrap();
    let ids: Vec<_> = listed.items.iter().map(|bundle| bundle.id).collect();
    assert_eq!(ids, [first, other]);
}

#[test]
fn a_bundle_may_be_in_several_releases_and_goes_with_the_last_one() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    let bytes = app_bundle(None);
    let id = upload(&artifacts, &bytes, Some("1.0")).unwrap();
    assert_eq!(upload(&artifacts, &bytes, Some("2.0")).unwrap(), id);
    let places = artifacts.bundle(ORG, id).unwrap().unwrap().places;
    assert_eq!(places.len(), 2);
    let generation = artifacts.generation();
    assert!(artifacts.delete_release(ORG, "1.0").unwrap());
    assert!(artifacts.generation() > generation);
    assert!(artifacts.bundle(ORG, id).unwrap().is_some());
    assert_eq!(
        artifacts
            .delete_release_files(ORG, Some(PROJECT), "2.0")
            .unwrap(),
        1
    );
    assert!(artifacts.bundle(ORG, id).unwrap().is_none());
    let organisation = artifacts.organisation(ORG).unwrap().unwrap();
    assert_eq!(
        (
            organisation.bundles,
            organisation.bytes,
            organisation.releases
        ),
        (0, 0, 1)
    );
    let serving = artifacts.serving(PROJECT).unwrap();
    assert_eq!(
        artifacts
            .files_by_debug_id(ID.parse().unwrap(), &serving)
            .unwrap(),
        []
    );
    assert_eq!(artifacts.newest_releases(&serving, 50).unwrap(), []);
    assert!(blobs_of(&sim).is_empty());
}

#[test]
fn a_chunk_with_another_checksum_is_refused_with_both() {
    let artifacts = open(&SimHost::new(1));
    let claimed = Sha1::of(b"one");
    let error = artifacts
        .put_chunk(ORG, claimed, &mut &b"two"[..], IfMissing::Create)
        .unwrap_err();
    assert_eq!(error.class(), ErrorClass::Client);
    let message = format!(
        "the chunk has the checksum {}, and not {claimed} as the request says",
        Sha1::of(b"two")
    );
    assert_eq!(error.to_string(), message);
    let mut wrong = request(b"abc", 1, None);
    for chunk in b"abc".chunks(1) {
        artifacts
            .put_chunk(ORG, Sha1::of(chunk), &mut &chunk[..], IfMissing::Create)
            .unwrap();
    }
    wrong.checksum = Sha1::of(b"cba");
    let error = artifacts.assemble(&wrong, IfMissing::Create).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Checksum {
                what: "the bundle",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn chunks_of_one_organisation_are_missing_in_another() {
    let artifacts = open(&SimHost::new(1));
    let sha1 = Sha1::of(b"secret");
    artifacts
        .put_chunk(ORG, sha1, &mut &b"secret"[..], IfMissing::Create)
        .unwrap();
    assert_eq!(artifacts.missing("others", &[sha1]).unwrap(), [sha1]);
    artifacts.create_organisation("others").unwrap();
    assert_eq!(artifacts.missing("others", &[sha1]).unwrap(), [sha1]);
}

#[test]
fn what_does_not_exist_comes_into_being_only_when_the_caller_says_so() {
    let artifacts = open(&SimHost::new(1));
    let change = ReleaseChange {
        projects: vec![PROJECT.to_owned()],
        ..ReleaseChange::default()
    };
    let error = artifacts
        .put_release(ORG, "1.0", &change, IfMissing::Refuse)
        .unwrap_err();
    assert_eq!(error.to_string(), r#"there is no organisation "acme""#);
    assert_eq!(error.class(), ErrorClass::NotFound);
    artifacts.create_organisation(ORG).unwrap();
    let error = artifacts
        .put_release(ORG, "1.0", &change, IfMissing::Refuse)
        .unwrap_err();
    assert_eq!(error.to_string(), r#"there is no project "web""#);
    let (release, is_new) = artifacts
        .put_release(ORG, "1.0", &change, IfMissing::Create)
        .unwrap();
    assert!(is_new);
    assert_eq!(release.projects[0].slug, PROJECT);
    let (_, is_new) = artifacts
        .put_release(ORG, "1.0", &change, IfMissing::Refuse)
        .unwrap();
    assert!(!is_new);
}

#[test]
fn a_release_keeps_dates_commits_and_deploys() {
    let artifacts = open(&SimHost::new(1));
    let change = ReleaseChange {
        projects: vec![PROJECT.to_owned()],
        started: Some("2026-11-22T12:50:43Z".to_owned()),
        commits: Some(vec![Commit {
            id: "b".repeat(40),
            ..Commit::default()
        }]),
        ..ReleaseChange::default()
    };
    artifacts
        .put_release(ORG, "web@1.2.3+45", &change, IfMissing::Create)
        .unwrap();
    let finalize = ReleaseChange {
        released: Some("2026-11-22T12:51:00Z".to_owned()),
        ..ReleaseChange::default()
    };
    let (release, _) = artifacts
        .put_release(ORG, "web@1.2.3+45", &finalize, IfMissing::Create)
        .unwrap();
    assert_eq!(release.started, change.started);
    assert_eq!(release.released, finalize.released);
    assert_eq!(
        artifacts.commits(ORG, "web@1.2.3+45").unwrap(),
        change.commits.unwrap()
    );
    let deploy = Deploy {
        environment: "production".to_owned(),
        ..Deploy::default()
    };
    artifacts.add_deploy(ORG, "web@1.2.3+45", &deploy).unwrap();
    assert_eq!(
        artifacts.deploys(ORG, "web@1.2.3+45").unwrap()[0].environment,
        "production"
    );
    let release = artifacts.release(ORG, "web@1.2.3+45").unwrap().unwrap();
    assert_eq!((release.commits, release.deploys), (1, 1));
}

#[test]
fn single_files_of_the_old_protocol_are_found_like_those_of_bundles() {
    let artifacts = open(&SimHost::new(1));
    let single = |name: &str, dist: Option<&str>| SingleFile {
        name: name.to_owned(),
        dist: dist.map(str::to_owned),
        headers: BTreeMap::from([("Sourcemap".to_owned(), "app.js.map".to_owned())]),
    };
    let projects = [PROJECT.to_owned()];
    let put = |file: &SingleFile, text: &str| {
        artifacts
            .put_file(
                ORG,
                &projects,
                "1.0",
                file,
                &mut text.as_bytes(),
                IfMissing::Create,
            )
            .unwrap()
    };
    let first = put(&single("~/app.js", None), APP);
    assert_eq!(first.sha1, Sha1::of(APP.as_bytes()));
    assert_eq!(first.source_map_header(), Some("app.js.map"));
    assert_eq!(put(&single("~/app.js", None), APP).bundle, first.bundle);
    let with_dist = put(&single("~/app.js", Some("42")), APP);
    assert_ne!(with_dist.bundle, first.bundle);
    let map = put(&single("~/app.js.map", None), MAP);
    assert_eq!(map.kind, FileKind::SourceMap);

    let listed = artifacts
        .release_files(ORG, Some(PROJECT), "1.0", &Page::first(2))
        .unwrap();
    let rest = Page {
        after: listed.next.clone(),
        limit: 2,
    };
    let rest = artifacts
        .release_files(ORG, Some(PROJECT), "1.0", &rest)
        .unwrap();
    let bundles: Vec<_> = listed
        .items
        .iter()
        .chain(&rest.items)
        .map(|file| file.bundle)
        .collect();
    assert_eq!(bundles, [map.bundle, with_dist.bundle, first.bundle]);
    assert_eq!(rest.next, None);
    let bundle = artifacts.bundle(ORG, map.bundle).unwrap().unwrap();
    assert_eq!(bundle.kind, BundleKind::File);
    let serving = artifacts.serving(PROJECT).unwrap();
    let release = artifacts.releases_named("1.0", &serving).unwrap()[0].id;
    let found = artifacts.files_of_release(release, &serving, 2).unwrap();
    assert!(found.truncated);
    assert_eq!(found.files[1].dists, [Some("42".to_owned())]);
    assert!(artifacts.delete_bundle(ORG, map.bundle).unwrap());
    assert!(!artifacts.delete_bundle(ORG, map.bundle).unwrap());
    assert_eq!(artifacts.release_file(ORG, map.bundle, 0).unwrap(), None);
}

#[test]
fn a_project_serves_its_own_name_what_is_mapped_to_it_and_everybody_while_it_is_alone() {
    let artifacts = open(&SimHost::new(1));
    artifacts
        .create_project(ORG, PROJECT, IfMissing::Create)
        .unwrap();
    let names = |service: &str| {
        let serving = artifacts.serving(service).unwrap();
        serving
            .names()
            .iter()
            .map(|(_, slug)| slug.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("checkout"), ["web"]);
    artifacts
        .create_project(ORG, "api", IfMissing::Create)
        .unwrap();
    assert!(names("checkout").is_empty());
    assert_eq!(names("api"), ["api"]);
    let generation = artifacts.generation();
    artifacts.map_service(ORG, PROJECT, "checkout").unwrap();
    assert!(artifacts.generation() > generation);
    assert_eq!(names("checkout"), ["web"]);
    artifacts.map_service(ORG, "api", "checkout").unwrap();
    assert_eq!(names("checkout"), ["web", "api"]);
    artifacts.unmap_service(ORG, PROJECT, "checkout").unwrap();
    assert_eq!(names("checkout"), ["api"]);
    assert!(artifacts.unmap_service(ORG, PROJECT, "checkout").is_err());
}

#[test]
fn a_file_of_a_project_that_does_not_serve_is_never_found() {
    let artifacts = open(&SimHost::new(1));
    upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    artifacts
        .create_project(ORG, "api", IfMissing::Create)
        .unwrap();
    let serving = artifacts.serving("api").unwrap();
    let web = artifacts.serving(PROJECT).unwrap();
    assert_eq!(
        artifacts
            .files_by_debug_id(ID.parse().unwrap(), &serving)
            .unwrap(),
        []
    );
    let release = artifacts.releases_named("1.0", &web).unwrap()[0].id;
    assert_eq!(
        artifacts
            .files_of_release(release, &serving, 10)
            .unwrap()
            .files,
        []
    );
    assert_eq!(artifacts.newest_releases(&serving, 50).unwrap(), []);
}

#[test]
fn releases_are_listed_by_their_last_change_in_pages() {
    let artifacts = open(&SimHost::new(1));
    let change = ReleaseChange {
        projects: vec![PROJECT.to_owned()],
        ..ReleaseChange::default()
    };
    for version in ["1", "2", "3", "1"] {
        artifacts
            .put_release(ORG, version, &change, IfMissing::Create)
            .unwrap();
    }
    for project in [None, Some(PROJECT)] {
        let first = artifacts.releases(ORG, project, &Page::first(2)).unwrap();
        let rest = Page {
            after: first.next.clone(),
            limit: 2,
        };
        let rest = artifacts.releases(ORG, project, &rest).unwrap();
        let versions: Vec<&str> = first
            .items
            .iter()
            .chain(&rest.items)
            .map(|r| r.version.as_str())
            .collect();
        assert_eq!(versions, ["1", "3", "2"]);
        assert_eq!(rest.next, None);
    }
}

#[test]
fn a_deleted_organisation_leaves_no_file() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    assert!(!blobs_of(&sim).is_empty());
    assert!(artifacts.delete_organisation(ORG).unwrap());
    assert!(!artifacts.delete_organisation(ORG).unwrap());
    assert!(blobs_of(&sim).is_empty());
    assert!(
        artifacts
            .organisations(&Page::default())
            .unwrap()
            .items
            .is_empty()
    );
    // And it can begin anew.
    upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
}

#[test]
fn a_deleted_project_takes_what_only_it_has() {
    let artifacts = open(&SimHost::new(1));
    let id = upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    assert!(artifacts.delete_project(ORG, PROJECT).unwrap());
    assert_eq!(artifacts.bundle(ORG, id).unwrap(), None);
    assert_eq!(artifacts.release(ORG, "1.0").unwrap(), None);
    assert_eq!(artifacts.organisation(ORG).unwrap().unwrap().projects, 0);
}

#[test]
fn a_full_quota_is_an_error_of_its_own_and_stores_nothing() {
    let sim = SimHost::new(1);
    let mut options = bundle_maker::small_options();
    options.quotas.organisation_bytes = (APP.len() + MAP.len()) as u64;
    options.quotas.releases = 2;
    let artifacts = open_with(&sim, options);
    upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    let files = blobs_of(&sim);
    let more = bundle(None, &[file("b.js", "minified_source", json!({}), "b()")]);
    let error = upload(&artifacts, &more, Some("2.0")).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Quota);
    assert!(
        error
            .to_string()
            .starts_with(r#"the organisation "acme" has room for "#),
        "{error}"
    );
    artifacts.sweep().unwrap();
    assert_eq!(blobs_of(&sim), files);
    assert_eq!(artifacts.release(ORG, "2.0").unwrap(), None);
    for version in ["2", "3"] {
        let put = artifacts.put_release(ORG, version, &ReleaseChange::default(), IfMissing::Create);
        assert_eq!(put.is_ok(), version == "2", "{put:?}");
    }
}

#[test]
fn chunks_that_were_assembled_make_room_and_others_do_not() {
    let mut options = bundle_maker::small_options();
    options.quotas.chunk_bytes = 1000;
    let artifacts = open_with(&SimHost::new(1), options);
    let put = |bytes: &[u8]| {
        artifacts.put_chunk(ORG, Sha1::of(bytes), &mut &bytes[..], IfMissing::Create)
    };
    upload(&artifacts, &app_bundle(None), None).unwrap();
    put(&[1; 900]).unwrap();
    let error = put(&[2; 900]).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Quota);
    assert_eq!(
        artifacts.organisation(ORG).unwrap().unwrap().chunk_bytes,
        900
    );
    artifacts.sweep().unwrap();
    assert_eq!(artifacts.missing(ORG, &[Sha1::of(&[1; 900])]).unwrap(), []);
}

#[test]
fn what_nobody_used_goes_and_what_resolved_a_frame_stays() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    let day = std::time::Duration::from_hours(24);
    let used = upload(&artifacts, &app_bundle(Some("1.0")), Some("1.0")).unwrap();
    let other = [file("b.js", "minified_source", json!({}), "b()")];
    let unused = upload(&artifacts, &bundle(None, &other), Some("2.0")).unwrap();
    sim.clock().advance(day * 2);
    assert_eq!(artifacts.sweep().unwrap().chunks, 2);
    sim.clock().advance(day * 58);
    artifacts.mark_used(used);
    assert_eq!(artifacts.sweep().unwrap().bundles, 0);
    sim.clock().advance(day * 60);
    let swept = artifacts.sweep().unwrap();
    assert_eq!((swept.bundles, swept.releases), (1, 1));
    assert!(artifacts.bundle(ORG, used).unwrap().is_some());
    assert!(artifacts.bundle(ORG, unused).unwrap().is_none());
    assert_eq!(blobs_of(&sim).len(), 2);
    sim.clock().advance(day * 60);
    assert_eq!(artifacts.sweep().unwrap().bundles, 1);
    assert!(blobs_of(&sim).is_empty());
}

#[test]
fn a_second_process_and_an_unknown_format_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let host = host::Host::real();
    let first = Artifacts::open(&host, dir.path(), bundle_maker::small_options()).unwrap();
    let second = Artifacts::open(&host, dir.path(), bundle_maker::small_options()).unwrap_err();
    assert!(matches!(second, Error::InUse { .. }), "{second}");
    drop(first);
    let path = dir.path().join("artifacts/metadata.redb");
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("meta");
    transaction
        .open_table(meta)
        .unwrap()
        .insert("format", 7)
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = Artifacts::open(&host, dir.path(), bundle_maker::small_options()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("have the format 7; this program reads format 1"),
        "{error}"
    );
}

#[test]
fn a_file_that_does_not_shrink_is_kept_as_it_is_and_one_that_does_is_compressed() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim);
    let mut noise = vec![0; 200_000];
    sim.host().random.fill(&mut noise);
    let text = "function f(){return 1}".repeat(20_000).into_bytes();
    let files = [
        file("noise.js", "minified_source", json!({}), noise.clone()),
        file("text.js", "minified_source", json!({}), text.clone()),
    ];
    upload(&artifacts, &bundle(None, &files), Some("1")).unwrap();
    let listed = artifacts
        .release_files(ORG, None, "1", &Page::default())
        .unwrap()
        .items;
    assert_eq!(
        artifacts.read_blob(listed[0].sha256, 1 << 20).unwrap(),
        noise
    );
    assert_eq!(
        artifacts.read_blob(listed[1].sha256, 1 << 20).unwrap(),
        text
    );
    let error = artifacts.read_blob(listed[1].sha256, 1000).unwrap_err();
    assert_eq!(error.class(), ErrorClass::TooLarge);
    let lens: Vec<u64> = blobs_of(&sim).values().copied().collect();
    assert!(
        lens.contains(&200_000) && lens.iter().any(|len| *len < 10_000),
        "{lens:?}"
    );
}

/// The files of blobs, with their lengths.
fn blobs_of(sim: &SimHost) -> BTreeMap<String, u64> {
    let files = sim.host().files;
    let root = Path::new("data/artifacts/blobs");
    let mut found = BTreeMap::new();
    for folder in files.list(root).unwrap() {
        for entry in files.list(&root.join(&folder.name)).unwrap() {
            found.insert(format!("{}{}", folder.name, entry.name), entry.len);
        }
    }
    found
}
