//! Appends, flushes, merges and retention, one at a time.

use std::time::Duration;

use host::sim::{Crash, Fault, OperationKind, SimHost};
use store::{Retention, StoreError, StoreOptions};

use crate::machine::{Source, Spec, append, once, open, options, snapshot, spans_in};

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn an_acknowledged_span_is_found_at_once_and_after_a_power_cut() {
    let sim = SimHost::new(1);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let spans = source.spans(&sim, &[1, 2, 3]);
    append(&sim, &store, &spans).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(spans.clone()));
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(spans));
}

#[test]
fn a_crash_with_an_active_trace_beside_flushed_ones_doubles_nothing() {
    let sim = SimHost::new(2);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let mut all = Vec::new();
    // One record holds spans of a trace that will be idle and of one that stays active: the record is replayed for the second only.
    for traces in [&[1, 9][..], &[2, 9], &[1, 2]] {
        let spans = source.spans(&sim, traces);
        append(&sim, &store, &spans).unwrap();
        all.extend(spans);
    }
    sim.clock().advance(Duration::from_secs(20));
    let spans = source.spans(&sim, &[9]);
    append(&sim, &store, &spans).unwrap();
    all.extend(spans);
    sim.block_on(store.flush()).unwrap();
    let stats = store.stats();
    assert_eq!((stats.block_spans, stats.memtable_spans), (4, 3));

    // Trace 1 goes on after its flush, and is carried by the next one, whose replay begins before it.
    sim.clock().advance(Duration::from_secs(10));
    let spans = source.spans(&sim, &[1, 9]);
    append(&sim, &store, &spans).unwrap();
    all.extend(spans);
    let spans = source.spans(&sim, &[5]);
    append(&sim, &store, &spans).unwrap();
    all.extend(spans);
    sim.clock().advance(Duration::from_secs(14));
    let spans = source.spans(&sim, &[1, 9]);
    append(&sim, &store, &spans).unwrap();
    all.extend(spans);
    sim.clock().advance(Duration::from_secs(5));
    sim.block_on(store.flush()).unwrap();
    assert_eq!(
        store.stats().block_spans,
        5,
        "trace 5 went, 1 and 9 are carried"
    );

    for _ in 0..3 {
        sim.crash(Crash::DropUnsynced);
        let store = open(&sim, options()).unwrap();
        assert_eq!(spans_in(&snapshot(&store)), once(all.clone()));
    }
}

#[test]
fn a_snapshot_does_not_change_and_keeps_its_files() {
    let sim = SimHost::new(3);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let mut all = Vec::new();
    let mut flush_one = || {
        let spans = source.spans(&sim, &[1]);
        append(&sim, &store, &spans).unwrap();
        all.extend(spans);
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
        once(all.clone())
    };
    let first = flush_one();
    let before = snapshot(&store);
    flush_one();
    let second = flush_one();
    assert_eq!(store.stats().compaction_pending, 1);
    let uncompacted = snapshot(&store);
    sim.block_on(store.compact()).unwrap();
    assert_eq!((store.stats().blocks, store.stats().compactions), (1, 1));
    assert_eq!(spans_in(&before), first);
    assert_eq!(spans_in(&uncompacted), second);
    assert_eq!(spans_in(&snapshot(&store)), second);
    drop((before, uncompacted));
    sim.block_on(store.expire()).unwrap();
    let blocks = || {
        sim.host()
            .files
            .list("data/blocks/default".as_ref())
            .unwrap()
    };
    let folders: usize = blocks()
        .iter()
        .map(|window| {
            let path = format!("data/blocks/default/{}", window.name);
            sim.host().files.list(path.as_ref()).unwrap().len()
        })
        .sum();
    assert_eq!(folders, 1, "the merged blocks' files are gone");
}

#[test]
fn what_a_client_repeats_collapses() {
    let sim = SimHost::new(4);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let spans = source.spans(&sim, &[1, 1, 2]);
    append(&sim, &store, &spans).unwrap();
    append(&sim, &store, &spans).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(spans.clone()));
    assert_eq!(store.stats().repeats, 3);
}

#[test]
fn retention_counts_from_arrival() {
    let sim = SimHost::new(5);
    let store = open(&sim, options()).unwrap();
    let of_2016 = Spec {
        trace: 1,
        number: 1,
        start_unix_nano: 1_451_606_400_000_000_000,
    };
    append(&sim, &store, &[of_2016]).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    for _ in 0..13 {
        sim.clock().advance(24 * HOUR);
        sim.block_on(store.expire()).unwrap();
        assert_eq!(spans_in(&snapshot(&store)), once([of_2016]));
    }
    sim.clock().advance(25 * HOUR);
    sim.block_on(store.expire()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once([]));
    assert_eq!(store.stats().expired_blocks, 1);
    drop(store);
    sim.crash(Crash::DropUnsynced);
    assert_eq!(
        spans_in(&snapshot(&open(&sim, options()).unwrap())),
        once([])
    );
}

#[test]
fn retention_that_is_off_keeps_for_ever() {
    let sim = SimHost::new(8);
    let retention = Retention {
        max_age: None,
        ..Retention::default()
    };
    let options = StoreOptions {
        retention,
        ..options()
    };
    let store = open(&sim, options).unwrap();
    let span = Spec {
        trace: 1,
        number: 1,
        start_unix_nano: 1_451_606_400_000_000_000,
    };
    append(&sim, &store, &[span]).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    sim.clock().advance(100 * 365 * 24 * HOUR);
    sim.block_on(store.expire()).unwrap();
    assert_eq!(store.stats().expired_blocks, 0);
    assert_eq!(spans_in(&snapshot(&store)), once([span]));
}

#[test]
fn retention_by_bytes_removes_the_oldest_arrivals() {
    let sim = SimHost::new(6);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let mut flushed = Vec::new();
    for trace in 1..=4 {
        let spans = source.spans(&sim, &[trace]);
        append(&sim, &store, &spans).unwrap();
        flushed.extend(spans);
        sim.clock().advance(2 * HOUR);
        sim.block_on(store.flush()).unwrap();
    }
    let bytes = store.stats().block_bytes;
    drop(store);
    sim.crash(Crash::KeepAll);
    let retention = Retention {
        max_bytes: Some(bytes / 2),
        ..Retention::default()
    };
    let store = open(
        &sim,
        StoreOptions {
            retention,
            ..options()
        },
    )
    .unwrap();
    sim.block_on(store.expire()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(flushed.split_off(2)));
}

#[test]
fn a_second_process_is_told_who_has_the_folder() {
    let sim = SimHost::new(7);
    let _first = open(&sim, options()).unwrap();
    let error = open(&sim, options()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }));
    assert!(error.to_string().contains("--data-dir"), "{error}");
}

#[test]
fn a_failed_sync_acknowledges_nothing_and_stops_the_store() {
    let sim = SimHost::new(8);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let kept = source.spans(&sim, &[1]);
    append(&sim, &store, &kept).unwrap();
    sim.disk().fail_nth(OperationKind::SyncData, 0, Fault::Io);
    let lost = source.spans(&sim, &[2]);
    assert!(append(&sim, &store, &lost).is_err());
    sim.disk().clear_faults();
    assert!(
        append(&sim, &store, &source.spans(&sim, &[3])).is_err(),
        "after a failed sync the page cache lies"
    );
    assert!(store.stats().stopped.is_some());
    assert_eq!(
        spans_in(&snapshot(&store)),
        once(kept.clone()),
        "reading goes on"
    );
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(kept));
}

#[test]
fn a_full_disk_fails_a_flush_and_loses_nothing() {
    let sim = SimHost::new(9);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let spans = source.spans(&sim, &[1, 2]);
    append(&sim, &store, &spans).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.disk().fail_nth(OperationKind::Write, 1, Fault::Full);
    assert!(sim.block_on(store.flush()).is_err());
    assert_eq!(spans_in(&snapshot(&store)), once(spans.clone()));
    sim.disk().clear_faults();
    sim.block_on(store.flush()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(spans));
    assert_eq!(store.stats().memtable_spans, 0);
}

#[test]
fn memory_that_is_short_is_said() {
    let sim = SimHost::new(10);
    let mut source = Source { next: 0 };
    let store = open(
        &sim,
        StoreOptions {
            max_memtable_bytes: 1,
            ..options()
        },
    )
    .unwrap();
    append(&sim, &store, &source.spans(&sim, &[1])).unwrap();
    let error = append(&sim, &store, &source.spans(&sim, &[1])).unwrap_err();
    assert!(matches!(error, StoreError::Overloaded { .. }) && error.is_transient());
    let store = open(
        &SimHost::new(10),
        StoreOptions {
            min_free_bytes: u64::MAX,
            ..options()
        },
    )
    .unwrap();
    let error = append(&sim, &store, &source.spans(&sim, &[1])).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_transient());
}

#[test]
fn maintenance_flushes_merges_and_stops_when_the_store_closes() {
    let sim = SimHost::new(11);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let maintained = store.clone();
    let host = sim.host();
    let upkeep = Box::pin(async move { maintained.run_maintenance().await });
    host.tasks.spawn("maintenance", upkeep);
    let mut all = Vec::new();
    for trace in 1..=6 {
        let spans = source.spans(&sim, &[trace]);
        append(&sim, &store, &spans).unwrap();
        all.extend(spans);
        sim.run_for(Duration::from_secs(90));
    }
    let stats = store.stats();
    assert!(stats.flushes >= 5 && stats.compactions >= 1, "{stats:?}");
    sim.block_on(store.close()).unwrap();
    assert_eq!(store.stats().memtable_spans, 0);
    assert_eq!(spans_in(&snapshot(&store)), once(all));
    let error = append(&sim, &store, &source.spans(&sim, &[1])).unwrap_err();
    assert!(matches!(error, StoreError::Stopped { .. }));
}
