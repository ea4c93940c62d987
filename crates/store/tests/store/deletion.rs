//! What is deleted is gone at once, stays gone, and goes from the files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use host::sim::{Crash, Fault, OperationKind, SimHost};
use model::{RowSet, TraceId};
use store::{Deleted, Deletion, StoreError, StoreOptions};

use crate::lone_events::{append_log, exceptions_of, log_request};
use crate::machine::{Source, Spec, append, delete, once, open, options, snapshot, spans_in};

fn trace(trace: u8) -> Deletion {
    Deletion::Trace(TraceId([trace; 16]))
}

fn spans(count: u64) -> Deleted {
    Deleted {
        spans: count,
        events: 0,
    }
}

#[test]
fn a_deleted_trace_is_gone_at_once_and_after_a_power_cut() {
    let sim = SimHost::new(30);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    // Trace 1 is in a block, in memory, and in a block beside it.
    let mut kept = Vec::new();
    for traces in [&[1, 1, 2][..], &[1, 3]] {
        let sent = source.spans(&sim, traces);
        append(&sim, &store, &sent).unwrap();
        kept.extend(sent);
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
    }
    let sent = source.spans(&sim, &[1, 4]);
    append(&sim, &store, &sent).unwrap();
    kept.extend(sent);
    let before = snapshot(&store);
    assert_eq!(delete(&sim, &store, trace(1)).unwrap(), spans(4));
    assert_eq!(
        spans_in(&before),
        once(kept.clone()),
        "a snapshot does not change"
    );
    kept.retain(|span| span.trace != 1);
    assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
    let mut scans = snapshot(&store).scans().to_vec();
    scans.retain(|scan| scan.may_contain_trace(&TraceId([1; 16])));
    assert_eq!(scans.len(), 0);
    assert_eq!(store.stats().block_spans, 2);
    assert_eq!(delete(&sim, &store, trace(1)).unwrap(), spans(0));

    // What arrives later stays, a repeat of what was deleted too.
    let sent = source.spans(&sim, &[1]);
    append(&sim, &store, &sent).unwrap();
    kept.extend(sent);
    drop(store);
    for _ in 0..2 {
        sim.crash(Crash::DropUnsynced);
        let store = open(&sim, options()).unwrap();
        assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
        assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
        sim.block_on(store.rewrite()).unwrap();
        assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
    }
}

#[test]
fn a_services_spans_are_deleted_by_their_start() {
    let sim = SimHost::new(31);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let mut kept: Vec<Spec> = Vec::new();
    for round in 0..4 {
        let sent = source.spans(&sim, &[1, 60, 61]);
        append(&sim, &store, &sent).unwrap();
        kept.extend(sent);
        sim.clock().advance(Duration::from_secs(20));
        if round == 1 {
            sim.block_on(store.flush()).unwrap();
        }
    }
    let (from, to) = (kept[3].start_unix_nano, kept[9].start_unix_nano);
    let bank = |starts_unix_nano| Deletion::Spans {
        service: "bank".to_owned(),
        starts_unix_nano,
    };
    assert_eq!(delete(&sim, &store, bank(from..from)).unwrap(), spans(0));
    assert_eq!(delete(&sim, &store, bank(from..to)).unwrap(), spans(4));
    kept.retain(|span| span.trace == 1 || !(from..to).contains(&span.start_unix_nano));
    assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
    assert_eq!(delete(&sim, &store, bank(0..u64::MAX)).unwrap(), spans(4));
    kept.retain(|span| span.trace == 1);
    assert_eq!(spans_in(&snapshot(&store)), once(kept));
}

#[test]
fn exceptions_from_log_records_go_with_their_trace_or_service() {
    for flushed in [false, true] {
        let sim = SimHost::new(32);
        let store = open(&sim, options()).unwrap();
        for (trace, message, time_unix_nano) in [(1, "a", 100), (2, "b", 200), (3, "c", 300)] {
            append_log(&sim, &store, log_request(trace, 1, message, time_unix_nano)).unwrap();
        }
        if flushed {
            sim.clock().advance(Duration::from_secs(20));
            sim.block_on(store.flush()).unwrap();
        }
        let of_shop = Deletion::Spans {
            service: "shop".to_owned(),
            starts_unix_nano: 300..301,
        };
        let one = Deleted {
            spans: 0,
            events: 1,
        };
        assert_eq!(delete(&sim, &store, trace(1)).unwrap(), one);
        assert_eq!(delete(&sim, &store, of_shop).unwrap(), one);
        let left = || [1, 2, 3].map(|trace| exceptions_of(&store, trace).len());
        assert_eq!(left(), [0, 1, 0]);
        let found: usize = snapshot(&store)
            .scans()
            .iter()
            .map(|scan| {
                let found = scan.spans_of_lone_events("exception.message", 0, &|_| true);
                found.unwrap().len()
            })
            .sum();
        assert_eq!(found, 1, "searches do not find them either");
        sim.block_on(store.rewrite()).unwrap();
        assert_eq!(left(), [0, 1, 0]);
    }
}

/// All files below a folder, with their content.
fn files(sim: &SimHost, dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let host = sim.host();
    let mut found = Vec::new();
    for entry in host.files.list(dir).unwrap() {
        let path = dir.join(&entry.name);
        if entry.is_dir {
            found.extend(files(sim, &path));
        } else {
            let file = host.files.open(&path).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_exact_at(&mut bytes, 0).unwrap();
            found.push((path, bytes));
        }
    }
    found
}

#[test]
fn soon_no_file_holds_what_was_deleted() {
    // Span ids are not compressed in blocks, so that they can be looked for.
    const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec2;
    let sim = SimHost::new(33);
    let store = open(&sim, StoreOptions::new("data")).unwrap();
    let now = sim.host().clock.now_unix_nano();
    let secret = |trace| Spec {
        trace,
        number: SECRET - 1,
        start_unix_nano: now,
    };
    let other = |trace, number| Spec {
        number,
        ..secret(trace)
    };
    append(&sim, &store, &[secret(1), other(2, 1)]).unwrap();
    append(&sim, &store, &[secret(3)]).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    append(&sim, &store, &[secret(1), other(4, 2)]).unwrap();
    let holders = || {
        let is_holder = |content: &[u8]| {
            content
                .windows(8)
                .any(|bytes| bytes == SECRET.to_be_bytes())
        };
        let mut names: Vec<String> = files(&sim, Path::new("data"))
            .into_iter()
            .filter(|(_, content)| is_holder(content))
            .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(holders(), ["00000000000000000001.wal", "spans.parquet"]);
    assert_eq!(delete(&sim, &store, trace(1)).unwrap(), spans(2));
    assert_eq!(delete(&sim, &store, trace(3)).unwrap(), spans(1));
    assert_eq!(store.stats().deletions_pending, 2);

    // Nobody does anything but the store itself.
    let maintained = store.clone();
    let upkeep = Box::pin(async move { maintained.run_maintenance().await });
    sim.host().tasks.spawn("maintenance", upkeep);
    sim.run_for(Duration::from_secs(6));
    assert_eq!(
        holders(),
        ["00000000000000000001.wal"],
        "blocks are written anew first"
    );
    sim.run_for(Duration::from_mins(2));
    assert_eq!(holders(), [""; 0]);
    assert_eq!(store.stats().deletions_pending, 0);
    let left = once([other(2, 1), other(4, 2)]);
    assert_eq!(spans_in(&snapshot(&store)), left);
    drop(store);
    sim.crash(Crash::DropUnsynced);
    assert_eq!(spans_in(&snapshot(&open(&sim, options()).unwrap())), left);
}

#[test]
fn a_block_of_which_nothing_is_left_goes() {
    let sim = SimHost::new(34);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    append(&sim, &store, &source.spans(&sim, &[1])).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    delete(&sim, &store, trace(1)).unwrap();
    assert_eq!((store.stats().blocks, store.stats().block_spans), (1, 0));
    sim.block_on(store.rewrite()).unwrap();
    assert_eq!(store.stats().blocks, 0);
    drop(store);
    sim.crash(Crash::DropUnsynced);
    let store = open(&sim, options()).unwrap();
    assert_eq!(store.stats().blocks, 0);
    // The log still has the span and its deletion.
    assert_eq!(spans_in(&snapshot(&store)), once([]));
}

#[test]
fn a_merge_leaves_out_what_was_deleted() {
    let sim = SimHost::new(35);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let mut kept = Vec::new();
    for traces in [&[1, 2][..], &[1, 3], &[4]] {
        let sent = source.spans(&sim, traces);
        append(&sim, &store, &sent).unwrap();
        kept.extend(sent);
        sim.clock().advance(Duration::from_secs(20));
        sim.block_on(store.flush()).unwrap();
    }
    delete(&sim, &store, trace(1)).unwrap();
    kept.retain(|span| span.trace != 1);
    let masked = snapshot(&store);
    sim.block_on(store.compact()).unwrap();
    assert_eq!((store.stats().blocks, store.stats().block_spans), (1, 3));
    assert_eq!(spans_in(&snapshot(&store)), once(kept.clone()));
    assert_eq!(spans_in(&masked), once(kept.clone()));
    drop((store, masked));
    sim.crash(Crash::DropUnsynced);
    assert_eq!(
        spans_in(&snapshot(&open(&sim, options()).unwrap())),
        once(kept)
    );
}

#[test]
fn the_rows_of_a_masked_block_are_numbered_anew() {
    let sim = SimHost::new(36);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let sent = source.spans(&sim, &[1, 2, 1, 3, 60, 1, 4]);
    append(&sim, &store, &sent).unwrap();
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    delete(&sim, &store, trace(1)).unwrap();
    delete(&sim, &store, trace(60)).unwrap();
    let snapshot = snapshot(&store);
    let [scan] = snapshot.scans() else {
        panic!("there is one block")
    };
    assert_eq!(scan.len(), 3);
    for (row, kept) in [2, 3, 4].into_iter().enumerate() {
        let rows = scan.trace_rows(&TraceId([kept; 16])).unwrap();
        assert_eq!(rows, RowSet::range(row..row + 1));
        let batch = scan.read(&rows).unwrap();
        assert_eq!(batch.columns().trace_id(0), TraceId([kept; 16]));
    }
    let all = RowSet::range(0..3);
    let number = sent.iter().find(|span| span.trace == 3).unwrap().number;
    let found = scan.filter_attribute(model::AttributeScope::Span, "number", &all, &|value| {
        value == model::AttributeValue::Int(number as i64)
    });
    assert_eq!(found.unwrap(), RowSet::range(1..2));
    let services: Vec<String> = scan
        .operations()
        .unwrap()
        .into_iter()
        .map(|operation| operation.service)
        .collect();
    assert_eq!(services, ["shop"], "a service without spans is not listed");
}

#[test]
fn a_failed_sync_deletes_nothing_and_stops_the_store() {
    let sim = SimHost::new(37);
    let mut source = Source { next: 0 };
    let store = open(&sim, options()).unwrap();
    let sent = source.spans(&sim, &[1]);
    append(&sim, &store, &sent).unwrap();
    sim.disk().fail_nth(OperationKind::SyncData, 0, Fault::Io);
    assert!(delete(&sim, &store, trace(1)).is_err());
    assert_eq!(spans_in(&snapshot(&store)), once(sent));
    let error = delete(&sim, &store, trace(1)).unwrap_err();
    assert!(error.to_string().contains("stopped"), "{error}");
}

#[test]
fn too_many_deletions_at_once_are_refused() {
    let sim = SimHost::new(38);
    let mut source = Source { next: 0 };
    let few = StoreOptions {
        max_pending_deletions: 2,
        ..options()
    };
    let store = open(&sim, few).unwrap();
    append(&sim, &store, &source.spans(&sim, &[1, 2, 3])).unwrap();
    delete(&sim, &store, trace(1)).unwrap();
    delete(&sim, &store, trace(2)).unwrap();
    let error = delete(&sim, &store, trace(3)).unwrap_err();
    assert!(matches!(error, StoreError::Overloaded { .. }) && error.is_transient());
    sim.clock().advance(Duration::from_secs(20));
    sim.block_on(store.flush()).unwrap();
    assert_eq!(store.stats().deletions_pending, 0);
    delete(&sim, &store, trace(3)).unwrap();
}
