use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::settings;
use super::stage::{Act, MOMENT, Stage, assert_adds_up};
use crate::FlushError;
use crate::config::BatchSettings;

const PATIENCE: Duration = super::PATIENCE;

#[test]
fn a_batch_goes_out_when_it_is_full_and_not_before() {
    let stage = Stage::new(settings(), []);
    stage.end_spans(0..511);
    thread::sleep(MOMENT);
    assert_eq!(stage.stats().queued, 511);
    stage.end_spans([511]);
    assert_eq!(stage.next_export(), (0..512).collect::<Vec<_>>());
}

#[test]
fn a_batch_forms_of_spans_that_ended_on_many_threads() {
    let stage = Stage::new(settings(), []);
    thread::scope(|scope| {
        for thread in 0..16_u64 {
            let stage = &stage.pipeline.queue;
            scope.spawn(move || {
                for number in 0..32 {
                    super::offer(stage, thread * 32 + number, 0);
                }
            });
        }
    });
    // The last one wakes the worker while others may still be on their way in: what came later waits for the next batch.
    let first = stage.next_export().len();
    stage.flush();
    let rest: usize = stage.exports().iter().map(Vec::len).sum();
    assert_eq!(first + rest, 512);
    assert_eq!(stage.stats().exported, 512);
}

#[test]
fn bytes_make_a_batch_too() {
    let stage = Stage::new(settings(), []);
    for number in 0..8 {
        super::offer(&stage.pipeline.queue, number, 2_200_000);
    }
    // Two of them are more than a batch may have. The last one waits for company.
    let mut exported: Vec<_> = (0..7).map(|_| stage.next_export()).collect();
    exported.sort_unstable();
    let alone = |number| vec![number];
    assert_eq!(exported, (0..7).map(alone).collect::<Vec<_>>());
    stage.flush();
    assert_eq!(stage.exports(), [[7]]);
}

#[test]
fn a_queue_of_few_bytes_is_emptied_before_it_is_full() {
    let stage = Stage::new(
        BatchSettings {
            max_queue_bytes: Some(1_000),
            ..settings()
        },
        [],
    );
    for number in 0..5 {
        super::offer(&stage.pipeline.queue, number, 90);
    }
    assert_eq!(stage.next_export(), [0, 1, 2, 3, 4]);
    assert_eq!(stage.stats().dropped, 0);
}

#[test]
fn a_span_waits_no_longer_than_the_schedule() {
    for delay in [Duration::ZERO, Duration::from_millis(5)] {
        let stage = Stage::new(
            BatchSettings {
                schedule_delay: delay,
                ..settings()
            },
            [],
        );
        stage.end_spans([7]);
        assert_eq!(stage.next_export(), [7]);
    }
}

#[test]
fn exports_run_at_the_same_time_up_to_their_bound() {
    let stage = Stage::held(
        BatchSettings {
            max_concurrent_exports: 3,
            max_batch_spans: 10,
            ..settings()
        },
        [],
    );
    stage.end_spans(0..50);
    // None has ended when the third begins.
    for first in [0, 10, 20] {
        assert_eq!(stage.next_export()[0], first);
    }
    thread::sleep(MOMENT);
    assert_eq!(stage.exports(), [[0; 0]; 0]);
    let stats = stage.stats();
    assert_eq!((stats.exporting, stats.queued, stats.exported), (30, 20, 0));
    stage.let_end(1);
    assert_eq!(stage.next_export()[0], 30);
    stage.let_end(100);
    stage.flush();
    assert_eq!(stage.stats().exported, 50);
}

#[test]
fn what_waits_behind_busy_exports_counts_towards_the_bound() {
    let stage = Stage::held(
        BatchSettings {
            max_concurrent_exports: 1,
            max_batch_spans: 10,
            max_queue_spans: 20,
            ..settings()
        },
        [],
    );
    stage.end_spans(0..10);
    stage.next_export();
    stage.end_spans(10..60);
    let stats = stage.stats();
    assert_eq!((stats.exporting, stats.queued, stats.dropped), (10, 20, 30));
    stage.let_end(100);
    stage.flush();
    let stats = stage.stats();
    assert_eq!((stats.exported, stats.dropped, stats.ended), (30, 30, 60));
    assert_eq!(
        stage.exports(),
        [(10..20).collect::<Vec<u64>>(), (20..30).collect()]
    );
}

#[test]
fn an_exporter_that_panics_loses_its_batch_and_nothing_else() {
    let stage = Stage::held(
        BatchSettings {
            max_batch_spans: 10,
            ..settings()
        },
        [Act::Panic, Act::Accept, Act::Never],
    );
    stage.end_spans(0..30);
    for _ in 0..3 {
        stage.next_export();
    }
    stage.let_end(100);
    // The third never ends: what the first two came to is known all the same.
    let result = stage.pipeline.flush(MOMENT);
    assert!(
        matches!(result, Err(FlushError::Timeout { .. })),
        "{result:?}"
    );
    while stage.stats().exporting > 10 {
        thread::yield_now();
    }
    let stats = stage.stats();
    assert_eq!(
        (stats.failed, stats.exported, stats.exporting),
        (10, 10, 10)
    );
    assert_adds_up(&stats);
    let reason = stage.pipeline.last_failure();
    assert!(reason.contains("a bug of the exporter"), "{reason}");
}

#[test]
fn a_flush_tells_what_was_lost_meanwhile_and_why() {
    let stage = Stage::new(settings(), [Act::Fail, Act::Reject(2), Act::Accept]);
    let lost = |lost, reason: &str| {
        Err(FlushError::Lost {
            lost,
            reason: reason.to_owned(),
        })
    };
    stage.end_spans(0..3);
    assert_eq!(stage.pipeline.flush(PATIENCE), lost(3, "no route"));
    stage.end_spans(3..6);
    assert_eq!(stage.pipeline.flush(PATIENCE), lost(2, "too old"));
    stage.end_spans(6..9);
    assert_eq!(stage.pipeline.flush(PATIENCE), Ok(()));
    let stats = stage.stats();
    assert_eq!((stats.failed, stats.rejected, stats.exported), (3, 2, 4));
}

#[test]
fn a_receiver_that_refuses_more_than_it_got_refuses_all() {
    let stage = Stage::new(settings(), [Act::Reject(u64::MAX)]);
    stage.end_spans(0..3);
    stage.flush();
    let stats = stage.stats();
    assert_eq!((stats.rejected, stats.exported), (3, 0));
}

#[test]
fn nothing_is_lost_while_threads_end_spans_and_others_flush() {
    const THREADS: u64 = 4;
    const SPANS: u64 = 20_000;
    let stage = Stage::new(
        BatchSettings {
            max_batch_spans: 256,
            ..settings()
        },
        [],
    );
    let is_over = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let flusher = scope.spawn({
            let (pipeline, is_over) = (&stage.pipeline, Arc::clone(&is_over));
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    pipeline.flush(PATIENCE).unwrap();
                    pipeline.stats();
                }
            }
        });
        let enders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let queue = &stage.pipeline.queue;
                scope.spawn(move || {
                    for number in 0..SPANS {
                        super::offer(queue, thread * SPANS + number, 90);
                    }
                })
            })
            .collect();
        for ender in enders {
            ender.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        flusher.join().unwrap();
    });
    stage.flush();
    let stats = stage.stats();
    assert_eq!((stats.exported, stats.lost()), (THREADS * SPANS, 0));
    let exports = stage.exports();
    let distinct: HashSet<u64> = exports.iter().flatten().copied().collect();
    assert_eq!(distinct.len() as u64, THREADS * SPANS);
    assert_eq!(exports.iter().map(Vec::len).sum::<usize>(), distinct.len());
    assert!(exports.iter().all(|export| export.len() <= 256));
}

#[derive(Debug, Clone)]
enum Step {
    End(u64),
    Flush,
    Then(Act),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        4 => Just(Act::Accept),
        2 => (0..30_u64).prop_map(Act::Reject),
        2 => Just(Act::Fail),
    ];
    let step = prop_oneof![
        6 => (0..60_u64).prop_map(Step::End),
        1 => Just(Step::Flush),
        2 => act.prop_map(Step::Then),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_span_that_ends_is_counted_once(
        steps in steps(),
        max_queue_spans in 1..200usize,
        max_batch_spans in 1..40usize,
        max_concurrent_exports in 1..4usize,
    ) {
        let stage = Stage::new(
            BatchSettings {
                max_queue_spans,
                max_batch_spans: max_batch_spans.min(max_queue_spans),
                max_concurrent_exports,
                ..settings()
            },
            [],
        );
        let mut ended = 0;
        for step in steps {
            match step {
                Step::End(spans) => {
                    stage.end_spans(ended..ended + spans);
                    ended += spans;
                }
                Step::Flush => stage.flush(),
                Step::Then(act) => stage.then(act),
            }
        }
        stage.flush();
        let stats = stage.stats();
        prop_assert_eq!(stats.ended, ended);
        let exports = stage.exports();
        // Exports that run at once begin in any order.
        prop_assert!(exports.iter().all(|export| export.is_sorted()));
        let distinct: HashSet<u64> = exports.iter().flatten().copied().collect();
        prop_assert_eq!(distinct.len() as u64, ended - stats.dropped);
        prop_assert_eq!(exports.iter().map(Vec::len).sum::<usize>(), distinct.len());
    }
}
