//! Caches are built once, kept in files, and made room for.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use artifacts::{Artifacts, CacheFailure, Sha256};
use host::sim::{Crash, Fault, OperationKind, SimHost};

fn open(sim: &SimHost, cache_bytes: u64) -> Artifacts {
    let mut options = bundle_maker::small_options();
    options.cache_bytes = cache_bytes;
    Artifacts::open(&sim.host(), Path::new("data"), options).unwrap()
}

/// The cache of `name`, and whether it was built for that.
fn cache(artifacts: &Artifacts, name: &str, version: u32) -> (Vec<u8>, bool) {
    let mut built = false;
    let bytes = artifacts.cache_for::<()>(Sha256::of(name.as_bytes()), version, || {
        built = true;
        Ok(name.repeat(10).into_bytes())
    });
    (bytes.unwrap().as_ref().to_vec(), built)
}

#[test]
fn a_cache_is_built_once_and_is_there_after_a_power_cut() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim, 1000);
    assert_eq!(
        cache(&artifacts, "map", 1),
        (b"mapmapmapmapmapmapmapmapmapmap".to_vec(), true)
    );
    assert!(!cache(&artifacts, "map", 1).1);
    assert!(
        cache(&artifacts, "map", 2).1,
        "another version of the format is another cache"
    );
    drop(artifacts);
    sim.crash(Crash::KeepAll);
    assert!(!cache(&open(&sim, 1000), "map", 1).1);
    sim.crash(Crash::DropUnsynced);
    // It may be lost, but what is there is whole.
    assert_eq!(cache(&open(&sim, 1000), "map", 1).0.len(), 30);
}

#[test]
fn of_several_who_ask_at_once_one_builds() {
    let dir = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(
        &host::Host::real(),
        dir.path(),
        bundle_maker::small_options(),
    )
    .unwrap();
    let builds = AtomicUsize::new(0);
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                let bytes = artifacts.cache_for::<()>(Sha256::of(b"map"), 1, || {
                    builds.fetch_add(1, Ordering::Relaxed);
                    Ok(vec![7; 100_000])
                });
                assert_eq!(bytes.unwrap().as_ref(), vec![7; 100_000]);
            });
        }
    });
    assert_eq!(builds.into_inner(), 1);
}

#[test]
fn what_was_used_longest_ago_makes_room_and_stays_readable_for_its_readers() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = bundle_maker::small_options();
    options.cache_bytes = 90;
    let artifacts = Artifacts::open(&host::Host::real(), dir.path(), options).unwrap();
    cache(&artifacts, "one", 1);
    let held = artifacts
        .cache_for::<()>(Sha256::of(b"two"), 1, || Ok(vec![2; 30]))
        .unwrap();
    cache(&artifacts, "six", 1);
    assert!(!cache(&artifacts, "one", 1).1);
    assert!(cache(&artifacts, "ten", 1).1);
    assert!(!cache(&artifacts, "one", 1).1);
    assert_eq!(held.as_ref(), [2; 30]);
    assert!(cache(&artifacts, "two", 1).1, "it had made room");
    let files = std::fs::read_dir(dir.path().join("artifacts/caches")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 90, "{bytes}");
}

#[test]
fn a_build_that_fails_is_tried_again_and_a_cache_that_is_too_large_is_used_once() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim, 100);
    let map = Sha256::of(b"map");
    let failed = artifacts.cache_for(map, 1, || Err("no map"));
    assert!(matches!(failed, Err(CacheFailure::Build("no map"))));
    let large = artifacts
        .cache_for::<()>(map, 1, || Ok(vec![0; 1000]))
        .unwrap();
    assert_eq!(large.as_ref().len(), 1000);
    assert!(cache(&artifacts, "map", 1).1);
}

#[test]
fn a_cache_or_an_unfinished_upload_that_cannot_be_removed_is_counted() {
    let sim = SimHost::new(1);
    let artifacts = open(&sim, 90);
    for name in ["one", "two", "six"] {
        cache(&artifacts, name, 1);
    }
    assert_eq!(artifacts.take_mishaps(), None);
    sim.disk().set_policy(|operation| {
        let is_removal = operation.kind == OperationKind::RemoveFile;
        is_removal.then_some(Fault::Io)
    });
    let wrong = artifacts::Sha1::of(b"");
    let refused = artifacts.put_chunk(
        bundle_maker::ORG,
        wrong,
        &mut &b"chunk"[..],
        artifacts::IfMissing::Create,
    );
    assert!(matches!(refused, Err(artifacts::Error::Checksum { .. })));
    let mishap = artifacts.take_mishaps().unwrap();
    assert_eq!(mishap.count, 1);
    assert!(
        mishap.last.starts_with("cannot remove data/artifacts/tmp/"),
        "{}",
        mishap.last
    );

    // The oldest one has no room in what is counted, whatever the disk says. The new file's name is free: no removal fails.
    let oldest = Sha256::of(b"one");
    sim.disk().set_policy(move |operation| {
        let is_oldest = operation.path.ends_with(format!("{oldest}-1"));
        (operation.kind == OperationKind::RemoveFile && is_oldest).then_some(Fault::Io)
    });
    assert!(cache(&artifacts, "ten", 1).1);
    let mishap = artifacts.take_mishaps().unwrap();
    assert_eq!(mishap.count, 1);
    assert!(mishap.last.contains("/caches/"), "{}", mishap.last);
    assert_eq!(artifacts.take_mishaps(), None);
}
