//! The simulated disk forgets exactly what was not synced, and fails as it is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use host::File;
use host::sim::{Crash, Fault, OperationKind, SimHost};
use proptest::prelude::*;

const EIO: Option<i32> = Some(5);
const ENOSPC: Option<i32> = Some(28);

fn create(sim: &SimHost, path: &str) -> Arc<dyn File> {
    sim.host().files.create_new(Path::new(path)).unwrap()
}

fn sync_dir(sim: &SimHost, path: &str) {
    sim.host().files.sync_dir(Path::new(path)).unwrap();
}

fn exists(sim: &SimHost, path: &str) -> bool {
    sim.host().files.exists(Path::new(path)).unwrap()
}

fn read(sim: &SimHost, path: &str) -> Vec<u8> {
    sim.disk().read_file(path).unwrap()
}

/// A file whose name and bytes are durable.
fn durable(sim: &SimHost, path: &str, bytes: &[u8]) -> Arc<dyn File> {
    sim.disk().write_file(path, bytes);
    sim.host().files.open_write(Path::new(path)).unwrap()
}

#[test]
fn bytes_need_a_sync_of_the_file() {
    for synced in [false, true] {
        let sim = SimHost::new(1);
        let file = durable(&sim, "a", b"old!");
        file.write_all_at(b"newer", 0).unwrap();
        if synced {
            file.sync_data().unwrap();
        }
        assert_eq!(read(&sim, "a"), b"newer");
        sim.crash(Crash::DropUnsynced);
        let expected: &[u8] = if synced { b"newer" } else { b"old!" };
        assert_eq!(read(&sim, "a"), expected);
    }
}

#[test]
fn a_name_needs_a_sync_of_its_folder() {
    for synced in [false, true] {
        let sim = SimHost::new(1);
        let file = create(&sim, "a");
        file.write_all_at(b"bytes", 0).unwrap();
        file.sync_all().unwrap();
        if synced {
            sync_dir(&sim, ".");
        }
        sim.crash(Crash::DropUnsynced);
        assert_eq!(exists(&sim, "a"), synced);
    }
}

#[test]
fn a_synced_name_of_unsynced_bytes_is_an_empty_file() {
    let sim = SimHost::new(1);
    create(&sim, "a").write_all_at(b"bytes", 0).unwrap();
    sync_dir(&sim, ".");
    sim.crash(Crash::DropUnsynced);
    assert_eq!(read(&sim, "a"), b"");
}

#[test]
fn created_folders_are_durable_at_once() {
    let sim = SimHost::new(1);
    sim.host().files.create_dir_all(Path::new("a/b")).unwrap();
    sim.crash(Crash::DropUnsynced);
    assert!(exists(&sim, "a/b"));
}

#[test]
fn a_folder_that_a_killed_process_created_is_made_durable_by_the_next() {
    for operations in 0..4 {
        let sim = SimHost::new(1);
        sim.disk().cut_power_after(operations);
        let cut = sim.host().files.create_dir_all(Path::new("a/b"));
        assert!(cut.is_err());
        sim.crash(Crash::KeepAll);
        sim.host().files.create_dir_all(Path::new("a/b")).unwrap();
        sim.crash(Crash::DropUnsynced);
        assert!(exists(&sim, "a/b"), "killed after {operations} operations");
    }
}

#[test]
fn an_unsynced_removal_is_undone() {
    let sim = SimHost::new(1);
    durable(&sim, "a", b"bytes");
    sim.host().files.remove_file(Path::new("a")).unwrap();
    assert!(!exists(&sim, "a"));
    sim.crash(Crash::DropUnsynced);
    assert_eq!(read(&sim, "a"), b"bytes");
}

#[test]
fn an_unsynced_rename_is_undone_as_a_whole() {
    let sim = SimHost::new(1);
    durable(&sim, "new", b"new");
    durable(&sim, "kept", b"old");
    let files = sim.host().files;
    files.rename(Path::new("new"), Path::new("kept")).unwrap();
    sim.crash(Crash::DropUnsynced);
    assert_eq!(read(&sim, "new"), b"new");
    assert_eq!(read(&sim, "kept"), b"old");
}

#[test]
fn a_move_between_folders_needs_both_syncs_and_never_loses_the_file() {
    let outcome = |synced: &[&str]| {
        let sim = SimHost::new(1);
        durable(&sim, "x/file", b"bytes");
        durable(&sim, "y/other", b"");
        let files = sim.host().files;
        files
            .rename(Path::new("x/file"), Path::new("y/file"))
            .unwrap();
        for folder in synced {
            sync_dir(&sim, folder);
        }
        sim.crash(Crash::DropUnsynced);
        (exists(&sim, "x/file"), exists(&sim, "y/file"))
    };
    assert_eq!(outcome(&[]), (true, false));
    assert_eq!(outcome(&["x"]), (true, false));
    assert_eq!(outcome(&["y"]), (true, true));
    assert_eq!(outcome(&["y", "x"]), (false, true));
}

#[test]
fn killing_the_process_loses_nothing() {
    let sim = SimHost::new(1);
    create(&sim, "a").write_all_at(b"bytes", 0).unwrap();
    sim.crash(Crash::KeepAll);
    assert_eq!(read(&sim, "a"), b"bytes");
    sim.crash(Crash::DropUnsynced);
    assert!(!exists(&sim, "a"));
}

#[test]
fn a_torn_write_keeps_sectors_in_any_order_and_whole() {
    let old = [1_u8; 512 * 16];
    let new = [2_u8; 512 * 16];
    let mut gaps = 0;
    let mut outcomes = BTreeSet::new();
    for seed in 0..200 {
        let sim = SimHost::new(seed);
        let file = durable(&sim, "a", &old);
        file.write_all_at(&new, 0).unwrap();
        sim.crash(Crash::Torn);
        let after = read(&sim, "a");
        let sectors: Vec<u8> = after.chunks(512).map(|sector| sector[0]).collect();
        assert!(
            after
                .chunks(512)
                .all(|s| s.iter().all(|byte| *byte == s[0]))
        );
        gaps += usize::from(sectors.windows(2).any(|pair| pair == [1, 2]));
        outcomes.insert(sectors);
    }
    assert!(gaps > 20, "later sectors survive without earlier ones");
    assert!(outcomes.contains(&vec![1; 16]) && outcomes.contains(&vec![2; 16]));
    assert!(outcomes.len() > 30);
}

#[test]
fn a_torn_length_may_come_without_its_bytes() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..200 {
        let sim = SimHost::new(seed);
        let file = durable(&sim, "a", b"");
        file.write_all_at(&[1; 1024], 0).unwrap();
        sim.crash(Crash::Torn);
        outcomes.insert(read(&sim, "a"));
    }
    assert!(outcomes.contains(&vec![]));
    assert!(outcomes.contains(&vec![0; 1024]));
    assert!(outcomes.contains(&vec![1; 1024]));
}

#[test]
fn torn_names_survive_independently_and_renames_whole() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..200 {
        let sim = SimHost::new(seed);
        durable(&sim, "old", b"old");
        let files = sim.host().files;
        create(&sim, "new").sync_all().unwrap();
        create(&sim, "other");
        files.rename(Path::new("new"), Path::new("old")).unwrap();
        sim.crash(Crash::Torn);
        let replaced = read(&sim, "old").is_empty();
        assert!(!(replaced && exists(&sim, "new")), "a rename is one change");
        outcomes.insert((replaced, exists(&sim, "new"), exists(&sim, "other")));
    }
    assert_eq!(outcomes.len(), 6, "{outcomes:?}");
}

#[test]
fn what_was_synced_survives_every_tear() {
    for seed in 0..200 {
        let sim = SimHost::new(seed);
        let file = create(&sim, "a");
        file.write_all_at(&[1; 3000], 0).unwrap();
        file.sync_data().unwrap();
        sync_dir(&sim, ".");
        file.write_all_at(&[2; 3000], 3000).unwrap();
        sim.crash(Crash::Torn);
        assert_eq!(read(&sim, "a")[..3000], [1; 3000]);
    }
}

#[test]
fn a_failed_sync_lies() {
    let sim = SimHost::new(1);
    let file = durable(&sim, "a", b"old");
    sim.disk().fail_nth(OperationKind::SyncData, 0, Fault::Io);
    file.write_all_at(b"new", 0).unwrap();
    assert_eq!(file.sync_data().unwrap_err().raw_os_error(), EIO);
    assert_eq!(read(&sim, "a"), b"new");
    file.sync_data().unwrap();
    sim.crash(Crash::DropUnsynced);
    assert_eq!(
        read(&sim, "a"),
        b"old",
        "a second sync does not mend the first"
    );
}

#[test]
fn a_failed_sync_of_a_folder_lies() {
    let sim = SimHost::new(1);
    sim.disk().fail_nth(OperationKind::SyncDir, 0, Fault::Io);
    create(&sim, "a");
    let files = sim.host().files;
    assert_eq!(
        files.sync_dir(Path::new(".")).unwrap_err().raw_os_error(),
        EIO
    );
    sync_dir(&sim, ".");
    sim.crash(Crash::DropUnsynced);
    assert!(!exists(&sim, "a"));
}

#[test]
fn the_nth_operation_of_a_kind_fails_once() {
    let sim = SimHost::new(1);
    let file = durable(&sim, "a", b"----");
    sim.disk()
        .fail_nth(OperationKind::Write, 1, Fault::ShortWrite(2));
    file.write_all_at(b"1", 0).unwrap();
    assert_eq!(
        file.write_all_at(b"222", 1).unwrap_err().raw_os_error(),
        EIO
    );
    assert_eq!(read(&sim, "a"), b"122-");
    file.write_all_at(b"333", 1).unwrap();
    assert_eq!(read(&sim, "a"), b"1333");
}

#[test]
fn a_policy_sees_each_operation() {
    let sim = SimHost::new(1);
    sim.disk().set_policy(|operation| {
        let of_b = operation.path == Path::new("b");
        (of_b && operation.kind == OperationKind::Read).then_some(Fault::Io)
    });
    for (path, fails) in [("a", false), ("b", true)] {
        let file = durable(&sim, path, b"x");
        assert_eq!(file.read_exact_at(&mut [0], 0).is_err(), fails);
    }
    sim.disk().clear_faults();
    let file = sim.host().files.open(Path::new("b")).unwrap();
    file.read_exact_at(&mut [0], 0).unwrap();
}

#[test]
fn a_full_disk_takes_what_fits_and_recovers() {
    let sim = SimHost::new(1);
    sim.disk().set_capacity(4096);
    let file = create(&sim, "a");
    let error = file.write_all_at(&[1; 5000], 0).unwrap_err();
    assert_eq!(error.raw_os_error(), ENOSPC);
    assert_eq!(file.len().unwrap(), 4096);
    let free = |path| sim.host().files.free_bytes(Path::new(path)).unwrap().free;
    assert_eq!(free("."), 0);
    sim.host().files.remove_file(Path::new("a")).unwrap();
    assert_eq!(free("."), 4096);
}

#[test]
fn preallocated_room_is_there_on_a_full_disk() {
    let sim = SimHost::new(1);
    sim.disk().set_capacity(4096);
    let file = create(&sim, "a");
    assert_eq!(file.preallocate(5000).unwrap_err().raw_os_error(), ENOSPC);
    file.preallocate(3072).unwrap();
    create(&sim, "b").write_all_at(&[1; 1024], 0).unwrap();
    file.write_all_at(&[2; 3072], 0).unwrap();
    assert_eq!(
        file.write_all_at(&[2], 3072).unwrap_err().raw_os_error(),
        ENOSPC
    );
}

#[test]
fn after_a_cut_nothing_works_until_the_machine_starts_again() {
    let sim = SimHost::new(1);
    let file = durable(&sim, "a", b"old");
    sim.disk().cut_power_after(1);
    file.write_all_at(b"one", 0).unwrap();
    assert!(!sim.disk().power_is_off());
    file.sync_data().unwrap_err();
    assert!(sim.disk().power_is_off());
    file.read_exact_at(&mut [0], 0).unwrap_err();
    sim.host().files.list(Path::new(".")).unwrap_err();

    sim.crash(Crash::DropUnsynced);
    assert_eq!(read(&sim, "a"), b"old");
    file.write_all_at(b"two", 0).unwrap_err();
    let file = sim.host().files.open_write(Path::new("a")).unwrap();
    file.write_all_at(b"two", 0).unwrap();
    assert_eq!(read(&sim, "a"), b"two");
}

#[test]
fn the_operation_that_a_cut_interrupts_may_have_happened() {
    let survived = (0..100)
        .filter(|seed| {
            let sim = SimHost::new(*seed);
            sim.disk().cut_power_after(0);
            sim.host().files.create_new(Path::new("a")).err().unwrap();
            sim.crash(Crash::Torn);
            exists(&sim, "a")
        })
        .count();
    assert!((20..80).contains(&survived), "{survived} of 100");
}

#[test]
fn only_changes_are_counted() {
    let sim = SimHost::new(1);
    let file = create(&sim, "a");
    file.write_all_at(b"x", 0).unwrap();
    file.sync_data().unwrap();
    file.read_exact_at(&mut [0], 0).unwrap();
    sim.host().files.list(Path::new(".")).unwrap();
    assert_eq!(sim.disk().operations(), 3);
}

#[test]
fn a_flipped_bit_is_flipped_for_good() {
    let sim = SimHost::new(1);
    durable(&sim, "a", &[0; 2]);
    sim.disk().flip_bit("a", 1, 7).unwrap();
    sim.crash(Crash::DropUnsynced);
    assert_eq!(read(&sim, "a"), [0, 128]);
}

#[test]
fn a_crash_ends_locks() {
    let sim = SimHost::new(1);
    let lock = |sim: &SimHost| sim.host().files.lock_exclusive(Path::new("LOCK"));
    let first = lock(&sim).unwrap();
    assert_eq!(lock(&sim).err().unwrap().kind(), ErrorKind::WouldBlock);
    sim.crash(Crash::KeepAll);
    let second = lock(&sim).unwrap();
    drop(first);
    assert!(
        lock(&sim).is_err(),
        "the guard of a dead process frees nothing"
    );
    drop(second);
    lock(&sim).unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Write { offset: u16, len: u16, byte: u8 },
    SetLen(u16),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4000_u16, 0..2000_u16, 1..=u8::MAX)
            .prop_map(|(offset, len, byte)| Step::Write { offset, len, byte }),
        1 => (0..5000_u16).prop_map(Step::SetLen),
        1 => Just(Step::Sync),
    ];
    prop::collection::vec(step, 0..12)
}

fn apply(step: &Step, file: &dyn File, model: &mut Vec<u8>) {
    match *step {
        Step::Write { offset, len, byte } => {
            let bytes = vec![byte; usize::from(len)];
            file.write_all_at(&bytes, u64::from(offset)).unwrap();
            if len > 0 {
                let end = usize::from(offset) + bytes.len();
                model.resize(model.len().max(end), 0);
                model[usize::from(offset)..end].copy_from_slice(&bytes);
            }
        }
        Step::SetLen(len) => {
            file.set_len(u64::from(len)).unwrap();
            model.resize(usize::from(len), 0);
        }
        Step::Sync => file.sync_data().unwrap(),
    }
}

/// A byte of a file that may be shorter.
fn byte_at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

proptest! {
    /// Against a plain vector: reads see the last write, a power cut shows the last sync, and a
    /// tear shows in each sector one of the versions since then.
    #[test]
    fn content_agrees_with_a_naive_file(steps in steps(), seed: u64, torn: bool) {
        let sim = SimHost::new(seed);
        let file = durable(&sim, "a", b"");
        let mut live = Vec::new();
        let mut since_sync = vec![Vec::new()];
        for step in &steps {
            apply(step, &*file, &mut live);
            if matches!(step, Step::Sync) {
                since_sync.clear();
            }
            since_sync.push(live.clone());
            prop_assert_eq!(&read(&sim, "a"), &live);
        }
        if torn {
            sim.crash(Crash::Torn);
            let after = read(&sim, "a");
            prop_assert!(since_sync.iter().any(|version| version.len() == after.len()));
            for (index, sector) in after.chunks(512).enumerate() {
                let is = |version: &Vec<u8>| {
                    sector
                        .iter()
                        .enumerate()
                        .all(|(i, byte)| *byte == byte_at(version, index * 512 + i))
                };
                prop_assert!(since_sync.iter().any(is), "sector {} is no version", index);
            }
        } else {
            sim.crash(Crash::DropUnsynced);
            prop_assert_eq!(&read(&sim, "a"), &since_sync[0]);
        }
    }
}
