//! A check finds a directory whole, in use or not, and finds whatever was changed in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use host::sim::{Crash, SimHost};
use store::{CheckReport, Store, StoreError};

use crate::machine::{Source, append, open, options};

/// A data directory with blocks, a log of several segments, and a trace that is in both.
fn filled(seed: u64) -> (SimHost, Store) {
    let sim = SimHost::new(seed);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    for round in 0..6_u8 {
        for _ in 0..10 {
            append(&sim, &store, &source.spans(&sim, &[round, round + 1, 99])).unwrap();
        }
        sim.clock().advance(Duration::from_secs(20));
        append(&sim, &store, &source.spans(&sim, &[99])).unwrap();
        sim.block_on(store.flush()).unwrap();
    }
    sim.block_on(store.compact()).unwrap();
    for _ in 0..40 {
        append(&sim, &store, &source.spans(&sim, &[50, 99])).unwrap();
    }
    (sim, store)
}

fn check(sim: &SimHost) -> CheckReport {
    let mut last = 0;
    let report = store::check(
        &sim.host(),
        Path::new("data"),
        &options().read_payload,
        &mut |progress| {
            assert!(progress.bytes_done >= last, "progress goes on");
            last = progress.bytes_done;
        },
    );
    report.unwrap()
}

pub(crate) fn files(sim: &SimHost, dir: &Path) -> Vec<PathBuf> {
    let entries = sim.host().files.list(dir).unwrap().into_iter();
    entries
        .flat_map(|entry| {
            let path = dir.join(entry.name);
            if entry.is_dir {
                files(sim, &path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn a_directory_is_whole_in_use_and_stopped_and_nothing_is_written() {
    let (sim, store) = filled(1);
    let operations = sim.disk().operations();
    let live = check(&sim);
    assert_eq!(live.defects, []);
    assert_eq!(live.notes, [""; 0]);
    let stats = store.stats();
    assert_eq!((live.blocks, live.spans), (stats.blocks, stats.block_spans));
    assert!(
        live.blocks > 0 && live.segments > 1 && live.records >= 40,
        "{live:?}"
    );
    assert_eq!(sim.disk().operations(), operations);

    sim.block_on(store.close()).unwrap();
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let stopped = check(&sim);
    assert_eq!(stopped.defects, []);
    assert!(stopped.spans > live.spans);
}

#[test]
fn a_flipped_bit_in_any_file_is_found_and_the_file_is_named() {
    let (sim, store) = filled(2);
    sim.crash(Crash::KeepAll);
    drop(store);
    let whole = check(&sim);
    assert_eq!(whole.defects, []);
    let all = files(&sim, Path::new("data"));
    let last_segment = all
        .iter()
        .rfind(|path| path.starts_with("data/log"))
        .unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for path in &all {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "LOCK" {
            continue;
        }
        let bytes = sim.disk().read_file(path).unwrap();
        // Room that is reserved is zeros; what is written is in front.
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
        for place in 0..9 {
            let offset = used * place / 8;
            sim.disk()
                .flip_bit(path, offset, (place % 8) as u8)
                .unwrap();
            let found = check(&sim);
            if found.defects.is_empty() {
                // The end of the log looks like a write that was cut off, and is reported as such.
                assert_eq!(path, last_segment);
                let [note] = &found.notes[..] else {
                    panic!("{path:?} at {offset}: nothing was found");
                };
                assert!(
                    note.contains(name) && note.contains("a restart cuts them"),
                    "{note}"
                );
                assert!(found.records < whole.records);
            } else {
                let named = found.defects.iter().any(|defect| defect.path == *path);
                assert!(named, "{path:?} at {offset}: {:?}", found.defects);
                kinds.insert(name.rsplit('.').next().unwrap().to_owned());
            }
            sim.disk()
                .flip_bit(path, offset, (place % 8) as u8)
                .unwrap();
        }
    }
    let expected = ["edit", "footer", "parquet", "wal"].map(str::to_owned);
    assert!(
        expected.iter().all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
    assert_eq!(check(&sim), whole);
}

#[test]
fn a_missing_file_is_found() {
    let (sim, store) = filled(3);
    sim.crash(Crash::KeepAll);
    drop(store);
    // Nothing refers to the last edit and the last segment: without them it is a whole directory of an earlier instant.
    let last_edit = files(&sim, Path::new("data/manifest")).pop().unwrap();
    let last_segment = files(&sim, Path::new("data/log")).pop().unwrap();
    for path in files(&sim, Path::new("data")) {
        if path.ends_with("LOCK") || path == last_edit || path == last_segment {
            continue;
        }
        let bytes = sim.disk().read_file(&path).unwrap();
        sim.host().files.remove_file(&path).unwrap();
        assert!(!check(&sim).is_whole(), "{path:?}");
        sim.disk().write_file(&path, &bytes);
    }
    assert_eq!(check(&sim).defects, []);
}

#[test]
fn what_belongs_to_nothing_is_noted() {
    let (sim, _store) = filled(4);
    let stray = "data/blocks/default/h0/00000000000000000000000000000000";
    sim.host().files.create_dir_all(Path::new(stray)).unwrap();
    sim.disk().write_file("data/log/notes.txt", b"?");
    sim.disk().write_file("data/manifest/notes.txt", b"?");
    let found = check(&sim);
    assert!(found.is_whole());
    for expected in [stray, "data/log/notes.txt", "data/manifest/notes.txt"] {
        assert!(
            found.notes.iter().any(|note| note.starts_with(expected)),
            "{:?}",
            found.notes
        );
    }
}

#[test]
fn formats_of_another_version_are_named() {
    for (file, place, expected) in [
        (".edit", 4, "manifest format 7 is not known"),
        ("footer", 4, "block format 7 is not known"),
        (".wal", 4, "segment format version 7 is not known"),
    ] {
        let (sim, store) = filled(5);
        sim.crash(Crash::KeepAll);
        drop(store);
        let all = files(&sim, Path::new("data"));
        let path = all
            .iter()
            .find(|path| path.to_str().unwrap().ends_with(file))
            .unwrap();
        let mut bytes = sim.disk().read_file(path).unwrap();
        bytes[place] = 7;
        sim.disk().write_file(path, &bytes);
        let found = check(&sim);
        assert!(
            found
                .defects
                .iter()
                .any(|defect| defect.path == *path && defect.what.contains(expected)),
            "{:?}",
            found.defects
        );
    }
}

#[test]
fn a_folder_that_is_no_data_directory_is_refused() {
    let sim = SimHost::new(6);
    let found = store::check(
        &sim.host(),
        Path::new("data"),
        &options().read_payload,
        &mut |_| {},
    );
    assert!(
        matches!(found, Err(StoreError::NoDataDirectory { .. })),
        "{found:?}"
    );
}
