//! Random work and power cuts, against a list of what was sent.

use std::time::Duration;

use host::sim::{Crash, SimHost};
use model::TraceId;
use proptest::prelude::*;
use store::Store;

use crate::machine::{Source, Spec, append, open, options, snapshot, spans_in};

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
