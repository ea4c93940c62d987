//! A store is checked and copied while it is used, and what is damaged or missing is named.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic")]

mod bundle_maker;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use artifacts::{
    Artifacts, BackupError, BackupReport, BundleFilter, BundleId, CheckReport, Page, Sha256,
    StoredBundle,
};
use bundle_maker::{ORG, bundle, file, upload, upload_in};
use host::Host;
use host::sim::{Crash, SimHost};
use serde_json::json;

const DATA: &str = "data";
const COPY: &str = "copy";

fn open(host: &Host, dir: &Path) -> Artifacts {
    Artifacts::open(host, dir, bundle_maker::small_options()).unwrap()
}

fn check(host: &Host, dir: impl AsRef<Path>) -> CheckReport {
    artifacts::check(host, dir.as_ref(), &mut |_| {})
        .unwrap()
        .unwrap()
}

fn backup(host: &Host, earlier: Option<&str>, into: &str) -> Result<BackupReport, BackupError> {
    let earlier = earlier.map(Path::new);
    let done = artifacts::backup(host, Path::new(DATA), earlier, Path::new(into), &mut |_| {});
    done.map(Option::unwrap)
}

/// A script that does not compress, and a map that does.
fn numbered(number: u64) -> Vec<u8> {
    let mut script = format!("run({number});").into_bytes();
    script.extend((0..2000_u64).map(|at| (at.wrapping_mul(at + number) >> 3) as u8));
    let map = format!(
        r#"{{"version":3,"file":"{number}.js","sources":["{}"],"names":[],"mappings":""}}"#,
        "source/".repeat(100)
    );
    let files = [
        file("app.js", "minified_source", json!({}), script),
        file("app.js.map", "source_map", json!({}), map),
    ];
    bundle(Some(&format!("1.{number}")), &files)
}

fn upload_numbered(artifacts: &Artifacts, number: u64) -> BundleId {
    let version = format!("1.{number}");
    upload(artifacts, &numbered(number), Some(&version)).unwrap()
}

fn bundles(artifacts: &Artifacts) -> Vec<StoredBundle> {
    let listed = artifacts.bundles(ORG, &BundleFilter::default(), &Page::first(Page::MAX));
    listed.unwrap().items
}

/// All bundles with the digests of their files, each of which is read.
fn contents(artifacts: &Artifacts) -> Vec<(StoredBundle, Vec<Sha256>)> {
    let with_files = bundles(artifacts).into_iter().map(|bundle| {
        let files = artifacts.bundle_files(ORG, bundle.id, &Page::first(Page::MAX));
        let files = files.unwrap().items.into_iter().map(|file| file.sha256);
        let files: Vec<Sha256> = files.collect();
        for sha256 in &files {
            let bytes = artifacts.read_blob(*sha256, 1 << 20).unwrap();
            assert_eq!(Sha256::of(&bytes), *sha256);
        }
        (bundle, files)
    });
    with_files.collect()
}

/// The files in a folder of the store, sorted.
fn files(sim: &SimHost, folder: &str) -> Vec<PathBuf> {
    let files = sim.host().files;
    let mut found = Vec::new();
    let mut folders = vec![Path::new(DATA).join("artifacts").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in files.list(&folder).unwrap() {
            let path = folder.join(entry.name);
            if entry.is_dir {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn filled(sim: &SimHost) -> Artifacts {
    let artifacts = open(&sim.host(), Path::new(DATA));
    for number in 0..5 {
        upload_numbered(&artifacts, number);
    }
    artifacts
}

#[test]
fn a_store_on_a_backup_lists_and_reads_the_same() {
    let sim = SimHost::new(1);
    let host = sim.host();
    let artifacts = filled(&sim);
    let gone = bundles(&artifacts)[2].id;
    artifacts.delete_bundle(ORG, gone).unwrap();
    let chunks = numbered(7);
    artifacts
        .put_chunk(
            ORG,
            artifacts::Sha1::of(&chunks[..100]),
            &mut &chunks[..100],
            artifacts::IfMissing::Create,
        )
        .unwrap();
    let before = contents(&artifacts);
    assert_eq!(before.len(), 4);

    let done = backup(&host, None, COPY).unwrap();
    assert_eq!((done.bundles, done.shared_files), (4, 0));
    let found = check(&host, DATA);
    assert_eq!((found.defect_count, &found.notes[..]), (0, &[][..]));
    assert_eq!(check(&host, COPY), found);
    assert_eq!(found.blobs + found.chunks, done.kept_files);
    assert_eq!((found.bundles, found.files, found.chunks), (4, 8, 6));

    // It is durable, and changes of either are not the other's.
    upload_numbered(&artifacts, 8);
    drop(artifacts);
    sim.crash(Crash::DropUnsynced);
    let host = sim.host();
    assert_eq!(check(&host, COPY), found);
    let restored = open(&host, Path::new(COPY));
    assert_eq!(contents(&restored), before);
    upload_numbered(&restored, 9);
    drop(restored);
    assert_eq!(check(&host, COPY).defect_count, 0);
    assert_eq!(check(&host, DATA).bundles, 5);
}

#[test]
fn a_second_backup_shares_what_the_first_one_has() {
    let sim = SimHost::new(2);
    let host = sim.host();
    let artifacts = filled(&sim);
    let first = backup(&host, None, COPY).unwrap();
    let gone = bundles(&artifacts)[0].id;
    artifacts.delete_bundle(ORG, gone).unwrap();
    upload_numbered(&artifacts, 5);
    // Of the three files of each bundle, a script, a map and a chunk, the deleted one leaves its chunk.
    let second = backup(&host, Some(COPY), "second").unwrap();
    assert_eq!(first.kept_files, 15);
    assert_eq!((second.kept_files, second.shared_files), (16, 13));
    assert!(second.bytes_copied < first.bytes_copied);
    host.files.remove_dir_all(Path::new(COPY)).unwrap();
    assert_eq!(check(&host, "second").defect_count, 0);
    let restored = open(&host, Path::new("second"));
    assert_eq!(contents(&restored), contents(&artifacts));
}

#[test]
fn backups_and_checks_while_uploads_and_deletions_run_find_everything_whole() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join(DATA);
    let host = Host::real();
    let artifacts = open(&host, &data);
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut bundles_seen = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            let mut uploaded = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let bytes = numbered(number);
                let version = format!("1.{number}");
                let done = upload_in(&artifacts, &bytes, 700, Some(&version)).unwrap();
                let artifacts::Assembled::Done(id) = done else {
                    panic!("{done:?}");
                };
                acknowledged.store(id.0, Ordering::Release);
                uploaded.push(id);
                if uploaded.len() > 5 {
                    artifacts.delete_bundle(ORG, uploaded.remove(0)).unwrap();
                }
            }
        });
        for round in 0..8 {
            while acknowledged.load(Ordering::Acquire) == 0 {
                std::thread::yield_now();
            }
            let before = acknowledged.load(Ordering::Acquire);
            let into = dir.path().join(format!("copy {round}"));
            let earlier = dir.path().join(format!("copy {}", round - 1));
            let earlier = (round > 0).then_some(&*earlier);
            artifacts::backup(&host, &data, earlier, &into, &mut |_| {}).unwrap();
            let found = check(&host, &into);
            assert_eq!(found.defects, [], "round {round}");
            assert_eq!(found.notes, [""; 0], "round {round}");
            let found = check(&host, &data);
            assert_eq!(found.defects, [], "round {round}");
            let restored = open(&host, &into);
            let contents = contents(&restored);
            bundles_seen += contents.len();
            // Of what was there before, only what is older than the five that came last may be gone.
            let newest = contents.iter().map(|(bundle, _)| bundle.id.0).max();
            assert!(newest >= Some(before), "round {round}");
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(bundles_seen >= 8);
}

#[test]
fn a_file_that_is_damaged_cut_or_missing_is_named_and_not_backed_up() {
    let sim = SimHost::new(3);
    let host = sim.host();
    let artifacts = filled(&sim);
    drop(artifacts);
    let whole = check(&host, DATA);
    let kept = [files(&sim, "blobs"), files(&sim, "chunks")].concat();
    assert!(kept.iter().any(|path| path.extension().is_some()));
    for path in kept {
        let bytes = sim.disk().read_file(&path).unwrap();
        let mut flipped = bytes.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        let longer = [&bytes[..], b"1"].concat();
        for damaged in [Some(&flipped[..]), Some(&bytes[1..]), Some(&longer), None] {
            match damaged {
                Some(damaged) => sim.disk().write_file(&path, damaged),
                None => host.files.remove_file(&path).unwrap(),
            }
            let found = check(&host, DATA);
            assert_eq!(found.defect_count, 1, "{found:?}");
            assert_eq!(found.defects[0].path, path);
            assert_eq!(found.defects[0].what.contains("missing"), damaged.is_none());
            let refused = backup(&host, None, COPY).unwrap_err();
            assert!(
                matches!(&refused, BackupError::Damaged(defect) if *defect == found.defects[0]),
                "{refused}"
            );
            host.files.remove_dir_all(Path::new(COPY)).unwrap();
        }
        sim.disk().write_file(&path, &bytes);
    }
    assert_eq!(check(&host, DATA), whole);
}

#[test]
fn a_flipped_bit_of_the_metadata_is_found_or_means_nothing() {
    let sim = SimHost::new(4);
    let host = sim.host();
    drop(filled(&sim));
    let path = Path::new(DATA).join("artifacts/metadata.redb");
    let whole = check(&host, DATA);
    let bytes = sim.disk().read_file(&path).unwrap();
    let mut found_defects = 0;
    // Of the header each byte, of the pages some.
    let offsets = (0..320).chain((320..bytes.len()).step_by(509));
    for offset in offsets {
        let bit = (offset % 8) as u8;
        sim.disk().flip_bit(&path, offset as u64, bit).unwrap();
        let found = check(&host, DATA);
        if found.defect_count > 0 {
            found_defects += 1;
            assert_eq!(found.defects[0].path, path);
        } else {
            assert_eq!(found, whole, "byte {offset}");
        }
        sim.disk().flip_bit(&path, offset as u64, bit).unwrap();
    }
    assert!(found_defects > 50, "{found_defects}");
    assert_eq!(sim.disk().read_file(&path).unwrap(), bytes);
}

#[test]
fn metadata_that_is_cut_empty_or_missing_is_damage_where_files_are_there() {
    let sim = SimHost::new(5);
    let host = sim.host();
    drop(filled(&sim));
    let path = Path::new(DATA).join("artifacts/metadata.redb");
    let bytes = sim.disk().read_file(&path).unwrap();
    for damaged in [Some(&bytes[..bytes.len() / 2]), Some(&[]), None] {
        match damaged {
            Some(damaged) => sim.disk().write_file(&path, damaged),
            None => host.files.remove_file(&path).unwrap(),
        }
        let found = check(&host, DATA);
        assert_eq!(found.defect_count, 1, "{found:?}");
        assert_eq!(found.defects[0].path, path);
        let refused = backup(&host, None, COPY).unwrap_err();
        assert!(matches!(refused, BackupError::Damaged(_)), "{refused}");
    }
}

#[test]
fn without_uploads_there_is_nothing_to_check_or_to_copy() {
    let sim = SimHost::new(6);
    let host = sim.host();
    host.files.create_dir_all(Path::new(DATA)).unwrap();
    let checked = artifacts::check(&host, Path::new(DATA), &mut |_| {}).unwrap();
    assert_eq!(checked, None);
    let copy = || artifacts::backup(&host, Path::new(DATA), None, Path::new(COPY), &mut |_| {});
    assert_eq!(copy().unwrap(), None);
    assert!(!host.files.exists(Path::new(COPY)).unwrap());

    // A server that nobody uploaded to.
    drop(open(&host, Path::new(DATA)));
    assert_eq!(check(&host, DATA), CheckReport::default());
    assert_eq!(copy().unwrap(), Some(BackupReport::default()));
    assert_eq!(check(&host, COPY), CheckReport::default());
}

#[test]
fn files_that_nothing_names_are_noted_and_are_no_damage() {
    let sim = SimHost::new(7);
    let host = sim.host();
    let artifacts = filled(&sim);
    let digest = "0".repeat(62);
    let strays = [
        format!("artifacts/blobs/00/{digest}"),
        "artifacts/blobs/00/note".to_owned(),
        format!("artifacts/chunks/1/{}", "a".repeat(40)),
        "artifacts/tmp/1".to_owned(),
    ];
    for stray in &strays {
        sim.disk().write_file(Path::new(DATA).join(stray), b"1");
    }
    let found = check(&host, DATA);
    assert_eq!((found.defect_count, found.note_count), (0, 4));
    for (stray, note) in strays.iter().zip(&found.notes) {
        assert!(note.starts_with(&format!("{DATA}/{stray} ")), "{note}");
    }
    backup(&host, None, COPY).unwrap();
    assert_eq!(check(&host, COPY).note_count, 0);
    drop(artifacts);
    drop(open(&host, Path::new(DATA)));
    assert_eq!(check(&host, DATA).note_count, 0, "the server removed them");
}
