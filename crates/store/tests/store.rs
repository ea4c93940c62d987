//! What was acknowledged is there, once, whatever happens in between.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use backtrail_wire::otlp::{self, AnyValue, Attributes, SpanFields, put_key_value};
use backtrail_wire::protobuf::put_message;
use bytes::Bytes;
use host::sim::{Crash, Fault, OperationKind, SimHost};
use model::{RowSet, SpanBatch, TenantId, TraceId};
use proptest::prelude::*;
use store::{Retention, Snapshot, Store, StoreError, StoreOptions};

const HOUR: Duration = Duration::from_hours(1);

fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes: 4 << 10,
        min_free_bytes: 0,
        compact_blocks: 3,
        ..StoreOptions::new("data")
    }
}

fn open(sim: &SimHost, options: StoreOptions) -> Result<Store, StoreError> {
    sim.block_on(Store::open(sim.host(), options))
}

/// A span that is told apart by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spec {
    trace: u8,
    number: u64,
    start_unix_nano: u64,
}

fn request(spans: &[Spec]) -> Bytes {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        put_message(out, 1, |out| {
            put_key_value(out, 1, "service.name", AnyValue::String("shop"));
        });
        put_message(out, 2, |out| {
            for span in spans {
                let mut list = Vec::new();
                put_key_value(&mut list, 1, "number", AnyValue::Int(span.number as i64));
                let fields = SpanFields {
                    trace_id: &[span.trace; 16],
                    span_id: &(span.number + 1).to_be_bytes(),
                    start_unix_nano: span.start_unix_nano,
                    end_unix_nano: span.start_unix_nano + 1,
                    attributes: Attributes::new(&list),
                    ..SpanFields::default()
                };
                put_message(out, 2, |out| {
                    otlp::put_span(out, &fields, |_| Ok(())).unwrap();
                });
            }
        });
    });
    out.into()
}

fn append(sim: &SimHost, store: &Store, spans: &[Spec]) -> Result<u64, StoreError> {
    let payload = request(spans);
    let batch = SpanBatch::from_otlp(&payload).unwrap();
    sim.block_on(store.append(&TenantId::default_tenant(), batch, payload))
}

fn snapshot(store: &Store) -> Snapshot {
    store.snapshot(&TenantId::default_tenant())
}

/// How often each span is in the snapshot, and that an index finds it as a scan does.
fn spans_in(snapshot: &Snapshot) -> BTreeMap<Spec, usize> {
    let mut found = BTreeMap::new();
    for scan in snapshot.scans() {
        let batch = scan.read(&RowSet::range(0..scan.len())).unwrap();
        let columns = batch.columns();
        for row in 0..columns.len() {
            let trace_id = columns.trace_id(row);
            let rows = scan.trace_rows(&trace_id).unwrap();
            assert!(
                rows.iter().any(|indexed| indexed == row),
                "the index has every span"
            );
            let number = u64::from_be_bytes(columns.span_id(row).0) - 1;
            assert_eq!(
                columns.attributes(row).get("number"),
                Some(AnyValue::Int(number as i64))
            );
            assert_eq!(columns.service(row), "shop");
            let start_unix_nano = columns.starts.value(row);
            *found
                .entry(Spec {
                    trace: trace_id.0[0],
                    number,
                    start_unix_nano,
                })
                .or_default() += 1;
        }
    }
    found
}

fn once(spans: impl IntoIterator<Item = Spec>) -> BTreeMap<Spec, usize> {
    spans.into_iter().map(|span| (span, 1)).collect()
}

/// Numbers spans, and starts them when they are sent.
struct Source {
    next: u64,
}

impl Source {
    fn spans(&mut self, sim: &SimHost, traces: &[u8]) -> Vec<Spec> {
        let start_unix_nano = sim.host().clock.now_unix_nano();
        traces
            .iter()
            .map(|trace| {
                self.next += 1;
                Spec {
                    trace: *trace,
                    number: self.next,
                    start_unix_nano,
                }
            })
            .collect()
    }
}

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

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<u8>),
    Repeat,
    Late(u8, u64),
    Advance(u64),
    Flush,
    Compact,
    Reopen(bool),
    CutPower(u64, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(1u8..6, 1..5).prop_map(Step::Append),
        1 => Just(Step::Repeat),
        1 => (1u8..6, 1u64..200_000).prop_map(|(trace, seconds)| Step::Late(trace, seconds)),
        4 => (1u64..40).prop_map(Step::Advance),
        3 => Just(Step::Flush),
        1 => Just(Step::Compact),
        1 => any::<bool>().prop_map(Step::Reopen),
        2 => (0u64..40, any::<bool>()).prop_map(|(after, torn)| Step::CutPower(after, torn)),
    ]
}

/// Spans that got an answer must be there once; those whose request failed may be there, once.
#[derive(Default)]
struct Naive {
    acknowledged: Vec<Spec>,
    unanswered: Vec<Spec>,
}

impl Naive {
    fn check(&self, store: &Store) {
        let found = spans_in(&snapshot(store));
        // Repeats may be in two tables until a flush or a merge brings them together; `query` collapses them on read.
        for span in found.keys() {
            let known = self.acknowledged.contains(span) || self.unanswered.contains(span);
            assert!(known, "nobody sent {span:?}");
        }
        for span in &self.acknowledged {
            let sent = self
                .acknowledged
                .iter()
                .filter(|other| *other == span)
                .count();
            let count = found.get(span).copied().unwrap_or(0);
            let unanswered = self
                .unanswered
                .iter()
                .filter(|other| *other == span)
                .count();
            assert!(count >= 1, "{span:?} was acknowledged and is gone");
            assert!(
                count <= sent + unanswered,
                "{span:?} is there {count} times, sent {sent} times"
            );
        }
        for span in &self.unanswered {
            let sent = self
                .acknowledged
                .iter()
                .chain(&self.unanswered)
                .filter(|other| *other == span)
                .count();
            assert!(
                found.get(span).copied().unwrap_or(0) <= sent,
                "{span:?} is doubled"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Random work, with flushes, merges, restarts and power cuts at random instants, against a list of what was sent.
    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_is_doubled(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..60)) {
        let sim = SimHost::new(seed);
        let mut source = Source { next: 0 };
        let mut naive = Naive::default();
        let mut store = open(&sim, options()).unwrap();
        let mut last: Vec<Spec> = Vec::new();
        for step in steps {
            let failed = match &step {
                Step::Append(traces) => {
                    last = source.spans(&sim, traces);
                    append(&sim, &store, &last).is_err()
                }
                Step::Repeat if !last.is_empty() => append(&sim, &store, &last).is_err(),
                Step::Late(trace, seconds) => {
                    last = source.spans(&sim, &[*trace]);
                    last[0].start_unix_nano -= seconds * 1_000_000_000;
                    append(&sim, &store, &last).is_err()
                }
                Step::Advance(seconds) => {
                    sim.clock().advance(Duration::from_secs(*seconds));
                    continue;
                }
                Step::Flush => sim.block_on(store.flush()).is_err(),
                Step::Compact => sim.block_on(store.compact()).is_err(),
                Step::Reopen(clean) => {
                    if *clean {
                        sim.block_on(store.close()).unwrap();
                    }
                    drop(store);
                    sim.crash(Crash::KeepAll);
                    store = open(&sim, options()).unwrap();
                    naive.check(&store);
                    continue;
                }
                Step::CutPower(after, torn) => {
                    sim.disk().cut_power_after(*after);
                    last = source.spans(&sim, &[1, 2, 3]);
                    let answered = append(&sim, &store, &last).is_ok();
                    if answered { &mut naive.acknowledged } else { &mut naive.unanswered }.extend(&last);
                    sim.clock().advance(Duration::from_secs(16));
                    let _ = sim.block_on(store.flush());
                    let _ = sim.block_on(store.compact());
                    drop(store);
                    sim.crash(if *torn { Crash::Torn } else { Crash::DropUnsynced });
                    store = open(&sim, options()).unwrap();
                    naive.check(&store);
                    continue;
                }
                Step::Repeat => continue,
            };
            prop_assert!(!failed, "nothing fails on a sound disk");
            if matches!(step, Step::Append(_) | Step::Repeat | Step::Late(..)) {
                naive.acknowledged.extend(&last);
            }
            naive.check(&store);
        }
        drop(store);
        sim.crash(Crash::DropUnsynced);
        naive.check(&open(&sim, options()).unwrap());
    }
}

/// The power goes at every single operation of a run that appends, flushes, merges and expires.
#[test]
fn a_power_cut_at_any_operation_loses_and_doubles_nothing() {
    for crash in [Crash::DropUnsynced, Crash::Torn, Crash::KeepAll] {
        let mut operations = 0;
        loop {
            let sim = SimHost::new(operations);
            let mut naive = Naive::default();
            let store = open(&sim, options()).unwrap();
            sim.disk().cut_power_after(operations);
            work(&sim, &store, &mut naive);
            let finished = !sim.disk().power_is_off();
            drop(store);
            sim.crash(crash);
            naive.check(&open(&sim, options()).unwrap());
            if finished {
                break;
            }
            operations += 1;
        }
        assert!(operations > 100, "the run has {operations} operations");
    }
}

fn work(sim: &SimHost, store: &Store, naive: &mut Naive) {
    let mut source = Source { next: 0 };
    for round in 0..4u8 {
        for traces in [&[1, 2, 9][..], &[3, round, 9]] {
            let spans = source.spans(sim, traces);
            let answered = append(sim, store, &spans).is_ok();
            if answered {
                &mut naive.acknowledged
            } else {
                &mut naive.unanswered
            }
            .extend(&spans);
        }
        sim.clock().advance(Duration::from_secs(16));
        let spans = source.spans(sim, &[9]);
        let answered = append(sim, store, &spans).is_ok();
        if answered {
            &mut naive.acknowledged
        } else {
            &mut naive.unanswered
        }
        .extend(&spans);
        let _ = sim.block_on(store.flush());
    }
    let _ = sim.block_on(store.compact());
    let _ = sim.block_on(store.expire());
    let found = TraceId([9; 16]);
    assert!(
        snapshot(store)
            .scans()
            .iter()
            .all(|scan| scan.is_empty() || scan.partitions().len() == 1),
        "{found}"
    );
}
