//! Random work and power cuts, against a list of what was sent.

use std::time::Duration;

use host::sim::{Crash, SimHost};
use model::TraceId;
use proptest::prelude::*;
use store::{Deletion, Store, StoreOptions};

use crate::machine::{Source, Spec, append, delete, open, options, service_of, snapshot, spans_in};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<u8>),
    Repeat,
    Late(u8, u64),
    Advance(u64),
    Flush,
    Compact,
    Delete(Erasure),
    Rewrite,
    Reopen(bool),
    CutPower(u64, bool, Option<Erasure>),
}

/// What is deleted: a trace, or the spans of a service that started in some seconds before now.
#[derive(Debug, Clone, Copy)]
enum Erasure {
    Trace(u8),
    Spans(&'static str, u64, u64),
}

impl Erasure {
    fn deletion(self, sim: &SimHost) -> Deletion {
        match self {
            Self::Trace(trace) => Deletion::Trace(TraceId([trace; 16])),
            Self::Spans(service, from_s, length_s) => {
                let from = sim.host().clock.now_unix_nano() - from_s * 1_000_000_000;
                Deletion::Spans {
                    service: service.to_owned(),
                    starts_unix_nano: from..from + length_s * 1_000_000_000,
                }
            }
        }
    }
}

fn takes(deletion: &Deletion, span: &Spec) -> bool {
    match deletion {
        Deletion::Trace(trace_id) => trace_id.0[0] == span.trace,
        Deletion::Spans {
            service,
            starts_unix_nano,
        } => service_of(span.trace) == service && starts_unix_nano.contains(&span.start_unix_nano),
    }
}

fn any_trace() -> impl Strategy<Value = u8> {
    prop_oneof![4 => 1u8..6, 1 => 50u8..52]
}

fn erasure() -> impl Strategy<Value = Erasure> {
    let service = prop_oneof![Just("shop"), Just("bank")];
    prop_oneof![
        any_trace().prop_map(Erasure::Trace),
        (service, 0u64..100, 0u64..100)
            .prop_map(|(service, from_s, length_s)| Erasure::Spans(service, from_s, length_s)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(any_trace(), 1..5).prop_map(Step::Append),
        1 => Just(Step::Repeat),
        1 => (1u8..6, 1u64..200_000).prop_map(|(trace, seconds)| Step::Late(trace, seconds)),
        4 => (1u64..40).prop_map(Step::Advance),
        3 => Just(Step::Flush),
        1 => Just(Step::Compact),
        2 => erasure().prop_map(Step::Delete),
        1 => Just(Step::Rewrite),
        1 => any::<bool>().prop_map(Step::Reopen),
        2 => (0u64..60, any::<bool>(), prop::option::of(erasure()))
            .prop_map(|(after, torn, erasure)| Step::CutPower(after, torn, erasure)),
    ]
}

/// Spans that got an answer must be there once; those whose request failed may be there, once. What was deleted must not be there; what may have been deleted is there as a whole, or nothing of it.
#[derive(Default)]
struct Naive {
    acknowledged: Vec<Spec>,
    unanswered: Vec<Spec>,
}

impl Naive {
    fn note(&mut self, spans: &[Spec], is_answered: bool) {
        let list = if is_answered {
            &mut self.acknowledged
        } else {
            &mut self.unanswered
        };
        list.extend(spans);
    }

    /// Forgets what a deletion took, which nobody may see again.
    fn delete(&mut self, deletion: &Deletion) {
        self.acknowledged.retain(|span| !takes(deletion, span));
        self.unanswered.retain(|span| !takes(deletion, span));
    }

    /// Finds out whether a deletion without an answer was followed.
    fn settle(&mut self, deletion: &Deletion, store: &Store) {
        let found = spans_in(&snapshot(store));
        let mut sent = self.acknowledged.iter();
        let is_followed = sent.any(|span| takes(deletion, span) && !found.contains_key(span));
        if is_followed {
            self.delete(deletion);
        }
    }

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
    fn nothing_acknowledged_is_lost_and_nothing_is_doubled(
        seed in any::<u64>(),
        memtable_bytes in prop_oneof![3 => Just(256usize << 20), 1 => Just(8000usize)],
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let sim = SimHost::new(seed);
        let mut source = Source { next: 0 };
        let mut naive = Naive::default();
        // With the small one, memory is flushed in the middle of replay.
        let options = || StoreOptions { memtable_bytes, ..options() };
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
                Step::Rewrite => sim.block_on(store.rewrite()).is_err(),
                Step::Delete(erasure) => {
                    let deletion = erasure.deletion(&sim);
                    let found = spans_in(&snapshot(&store));
                    let deleted = delete(&sim, &store, deletion.clone()).unwrap();
                    let taken = found.iter().filter(|(span, _)| takes(&deletion, span));
                    let expected: usize = taken.map(|(_, count)| count).sum();
                    prop_assert_eq!(deleted.spans, expected as u64);
                    naive.delete(&deletion);
                    false
                }
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
                Step::CutPower(after, torn, erasure) => {
                    sim.disk().cut_power_after(*after);
                    last = source.spans(&sim, &[1, 2, 3]);
                    let is_answered = append(&sim, &store, &last).is_ok();
                    naive.note(&last, is_answered);
                    sim.clock().advance(Duration::from_secs(16));
                    let mut unanswered = None;
                    if let Some(erasure) = erasure {
                        let deletion = erasure.deletion(&sim);
                        match delete(&sim, &store, deletion.clone()) {
                            Ok(_) => naive.delete(&deletion),
                            Err(_) => unanswered = Some(deletion),
                        }
                    }
                    let _ = sim.block_on(store.flush());
                    let _ = sim.block_on(store.compact());
                    let _ = sim.block_on(store.rewrite());
                    drop(store);
                    sim.crash(if *torn { Crash::Torn } else { Crash::DropUnsynced });
                    store = open(&sim, options()).unwrap();
                    if let Some(deletion) = unanswered {
                        naive.settle(&deletion, &store);
                    }
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

/// The power goes at every single operation of a run that appends, deletes, flushes, merges, rewrites and expires.
#[test]
fn a_power_cut_at_any_operation_loses_and_doubles_nothing() {
    for crash in [Crash::DropUnsynced, Crash::Torn, Crash::KeepAll] {
        let mut operations = 0;
        loop {
            let sim = SimHost::new(operations);
            let mut naive = Naive::default();
            let store = open(&sim, options()).unwrap();
            sim.disk().cut_power_after(operations);
            let unanswered = work(&sim, &store, &mut naive);
            let finished = !sim.disk().power_is_off();
            drop(store);
            sim.crash(crash);
            let store = open(&sim, options()).unwrap();
            if let Some(deletion) = unanswered {
                naive.settle(&deletion, &store);
            }
            naive.check(&store);
            if finished {
                break;
            }
            operations += 1;
        }
        assert!(operations > 100, "the run has {operations} operations");
    }
}

fn work(sim: &SimHost, store: &Store, naive: &mut Naive) -> Option<Deletion> {
    let mut source = Source { next: 0 };
    let mut unanswered = None;
    for round in 0..4u8 {
        for traces in [&[1, 2, 9][..], &[3, round, 9]] {
            let spans = source.spans(sim, traces);
            let is_answered = append(sim, store, &spans).is_ok();
            naive.note(&spans, is_answered);
        }
        sim.clock().advance(Duration::from_secs(16));
        let spans = source.spans(sim, &[9]);
        let is_answered = append(sim, store, &spans).is_ok();
        naive.note(&spans, is_answered);
        // Of trace 2 something is in blocks, and trace 9 is active.
        if let Some(trace) = [None, Some(2), Some(9), None][round as usize]
            && unanswered.is_none()
        {
            let deletion = Erasure::Trace(trace).deletion(sim);
            match delete(sim, store, deletion.clone()) {
                Ok(_) => naive.delete(&deletion),
                Err(_) => unanswered = Some(deletion),
            }
        }
        let _ = sim.block_on(store.flush());
        if round == 1 {
            let _ = sim.block_on(store.rewrite());
        }
    }
    let _ = sim.block_on(store.compact());
    let _ = sim.block_on(store.rewrite());
    let _ = sim.block_on(store.expire());
    unanswered
}
