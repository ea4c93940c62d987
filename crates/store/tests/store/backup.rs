//! A backup is whole or not there, whatever interrupts it, and has what was acknowledged.

use std::path::Path;
use std::time::Duration;

use host::sim::{Crash, SimHost};
use store::{BackupError, BackupReport, CheckReport, Store, StoreOptions};

use crate::machine::{Source, Spec, append, once, open, options, snapshot, spans_in};

const TARGET: &str = "kept/backup";

/// A store with blocks and a log, and what was acknowledged.
fn filled(sim: &SimHost) -> (Store, Source, Vec<Spec>) {
    let mut source = Source { next: 0 };
    let store = open(sim, options()).unwrap();
    let mut all = Vec::new();
    more(sim, &store, &mut source, &mut all);
    (store, source, all)
}

/// A flush with a trace that stays in memory, and records behind it.
fn more(sim: &SimHost, store: &Store, source: &mut Source, all: &mut Vec<Spec>) {
    for traces in [&[1, 9][..], &[2, 9]] {
        let spans = source.spans(sim, traces);
        append(sim, store, &spans).unwrap();
        all.extend(spans);
    }
    sim.clock().advance(Duration::from_secs(20));
    let spans = source.spans(sim, &[9]);
    append(sim, store, &spans).unwrap();
    all.extend(spans);
    sim.block_on(store.flush()).unwrap();
    let spans = source.spans(sim, &[3]);
    append(sim, store, &spans).unwrap();
    all.extend(spans);
}

fn backup(sim: &SimHost) -> Result<BackupReport, BackupError> {
    store::backup(
        &sim.host(),
        Path::new("data"),
        Path::new(TARGET),
        &mut |_| Ok(Vec::new()),
        &mut |_| {},
    )
}

fn check(sim: &SimHost, dir: &str) -> CheckReport {
    let read_payload = options().read_payload;
    store::check(&sim.host(), Path::new(dir), &read_payload, &mut |_| {}).unwrap()
}

/// What a store that is opened on the backup has.
fn restored(sim: &SimHost) -> std::collections::BTreeMap<Spec, usize> {
    let options = StoreOptions {
        data_dir: TARGET.into(),
        ..options()
    };
    spans_in(&snapshot(&open(sim, options).unwrap()))
}

#[test]
fn a_backup_of_a_store_in_use_has_what_was_acknowledged() {
    let sim = SimHost::new(1);
    let (store, mut source, mut all) = filled(&sim);
    let first = backup(&sim).unwrap();
    assert_eq!((first.blocks, first.blocks_kept), (1, 0));

    // The next one copies what is new.
    more(&sim, &store, &mut source, &mut all);
    let second = backup(&sim).unwrap();
    assert_eq!((second.blocks, second.blocks_kept), (2, 1));
    assert_eq!(check(&sim, TARGET).defects, []);

    // Blocks that were merged are in neither.
    more(&sim, &store, &mut source, &mut all);
    sim.block_on(store.compact()).unwrap();
    let third = backup(&sim).unwrap();
    assert_eq!((third.blocks, third.blocks_kept), (1, 0));
    assert_eq!(check(&sim, TARGET).notes, [""; 0]);
    assert_eq!(restored(&sim), once(all));
    assert!(matches!(backup(&sim), Err(BackupError::Used { .. })));
}

#[test]
fn a_deletion_that_was_acknowledged_is_in_the_backup() {
    let sim = SimHost::new(2);
    let (store, _, all) = filled(&sim);
    let tenant = model::TenantId::default_tenant();
    let deletion = store::Deletion::Trace(model::TraceId([9; 16]));
    sim.block_on(store.delete(&tenant, deletion)).unwrap();
    backup(&sim).unwrap();
    assert_eq!(check(&sim, TARGET).defects, []);
    let left = all.into_iter().filter(|span| span.trace != 9);
    assert_eq!(restored(&sim), once(left));
}

#[test]
fn a_damaged_directory_is_not_backed_up() {
    for ending in ["spans.parquet", "footer", ".edit", ".wal"] {
        let sim = SimHost::new(3);
        let (store, ..) = filled(&sim);
        drop(store);
        let path = crate::check::files(&sim, Path::new("data"))
            .into_iter()
            .find(|path| path.to_str().unwrap().ends_with(ending))
            .unwrap();
        sim.disk().flip_bit(&path, 20, 1).unwrap();
        let error = backup(&sim).unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(!sim.host().files.exists(Path::new(TARGET)).unwrap());
    }
}

#[test]
fn what_others_copied_alongside_is_missed_and_their_failure_is_the_backups() {
    let sim = SimHost::new(6);
    let (store, ..) = filled(&sim);
    drop(store);
    let run = |alongside: &mut store::Alongside<'_>| {
        let (host, target) = (sim.host(), Path::new(TARGET));
        store::backup(&host, Path::new("data"), target, alongside, &mut |_| {})
    };
    let failed = run(&mut |_| Err("no room".to_owned())).unwrap_err();
    assert_eq!(failed.to_string(), "no room");
    assert!(!sim.host().files.exists(Path::new(TARGET)).unwrap());

    run(&mut |place| {
        assert_eq!(place.earlier, None);
        sim.disk().write_file(place.into.join("other"), b"1");
        Ok(vec!["other".into()])
    })
    .unwrap();
    assert_eq!(check(&sim, TARGET).defects, []);
    let other = Path::new(TARGET).join("other");
    sim.host().files.remove_file(&other).unwrap();
    let defects = check(&sim, TARGET).defects;
    assert_eq!(defects.len(), 1);
    assert_eq!(defects[0].path, other);
}

#[test]
fn a_backup_that_lost_the_end_of_its_log_is_damaged() {
    let sim = SimHost::new(5);
    let (store, ..) = filled(&sim);
    let records = backup(&sim).unwrap().records;
    drop(store);
    let log = crate::check::files(&sim, Path::new(TARGET))
        .into_iter()
        .rfind(|path| path.starts_with(Path::new(TARGET).join("log")))
        .unwrap();
    let file = sim.host().files.open_write(&log).unwrap();
    file.set_len(file.len().unwrap() - 1).unwrap();

    let found = check(&sim, TARGET);
    let what = &found.defects[0].what;
    let left = format!("{records} records of the log, and");
    assert!(what.contains(&left), "{what}");
    assert_eq!(found.records, records - 1);

    // A store that is opened on it cuts the torn end, and what it holds from then on is its own.
    drop(restored(&sim));
    assert_eq!(check(&sim, TARGET).defects, []);
}

#[test]
fn a_backup_that_does_not_say_what_it_holds_is_damaged() {
    let sim = SimHost::new(6);
    let (store, ..) = filled(&sim);
    backup(&sim).unwrap();
    drop(store);
    let done = Path::new(TARGET).join("BACKUP");
    sim.disk().flip_bit(&done, 0, 1).unwrap();
    let found = check(&sim, TARGET);
    assert_eq!(found.defects[0].path, done);
}

#[test]
fn a_power_cut_at_any_operation_leaves_a_whole_backup() {
    for (round, earlier) in (0..).map(|round| (round / 2, round % 2 == 1)) {
        let sim = SimHost::new(4);
        let (store, mut source, mut all) = filled(&sim);
        let before = if earlier {
            backup(&sim).unwrap();
            let before = check(&sim, TARGET);
            more(&sim, &store, &mut source, &mut all);
            Some(before)
        } else {
            None
        };
        sim.disk().cut_power_after(round);
        let done = backup(&sim).is_ok();
        sim.crash(Crash::DropUnsynced);
        drop(store);

        let exists = |dir: &str| {
            sim.host()
                .files
                .exists(&Path::new(dir).join("BACKUP"))
                .unwrap()
        };
        let old = format!("{TARGET}.old");
        if exists(TARGET) {
            let found = check(&sim, TARGET);
            assert_eq!(found.defects, [], "after {round} operations");
        } else if let Some(before) = before {
            assert_eq!(check(&sim, &old), before, "after {round} operations");
        }
        assert!(!done || exists(TARGET));

        // Whatever was left, the next run makes it good.
        backup(&sim).unwrap();
        assert_eq!(check(&sim, TARGET).defects, []);
        assert_eq!(restored(&sim), once(all));
        if done && earlier {
            assert!(round > 20);
            return;
        }
    }
}
