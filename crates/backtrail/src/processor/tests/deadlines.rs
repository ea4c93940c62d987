use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use super::settings;
use super::stage::{Act, MOMENT, Stage, assert_adds_up};
use crate::FlushError;
use crate::config::BatchSettings;
use crate::processor::Stats;

const PATIENCE: Duration = super::PATIENCE;

#[test]
fn an_export_that_takes_too_long_is_given_up_and_counted() {
    let stage = Stage::new(
        BatchSettings {
            export_timeout: Duration::from_millis(10),
            ..settings()
        },
        [Act::Never],
    );
    stage.end_spans(0..5);
    let expected = FlushError::Lost {
        lost: 5,
        reason: "not done within 10 ms".to_owned(),
    };
    assert_eq!(stage.pipeline.flush(PATIENCE), Err(expected));
    stage.end_spans(5..6);
    assert_eq!(stage.pipeline.flush(PATIENCE), Ok(()));
    let stats = stage.stats();
    assert_eq!((stats.failed, stats.exported), (5, 1));
}

#[test]
fn an_export_timeout_of_zero_is_no_limit() {
    let stage = Stage::held(
        BatchSettings {
            export_timeout: Duration::ZERO,
            ..settings()
        },
        [],
    );
    stage.end_spans(0..5);
    let (sender, receiver) = channel();
    thread::scope(|scope| {
        scope.spawn(|| sender.send(stage.pipeline.flush(PATIENCE)));
        receiver.recv_timeout(MOMENT).unwrap_err();
        stage.let_end(1);
        assert_eq!(receiver.recv(), Ok(Ok(())));
    });
}

#[test]
fn times_that_no_clock_can_count_are_taken() {
    let stage = Stage::new(
        BatchSettings {
            export_timeout: Duration::MAX,
            ..settings()
        },
        [],
    );
    stage.end_spans(0..5);
    assert_eq!(stage.pipeline.flush(Duration::MAX), Ok(()));
    assert_eq!(stage.pipeline.shutdown(Duration::MAX), Ok(()));
    assert_eq!(stage.stats().exported, 5);
}

#[test]
fn a_flush_ends_at_its_deadline_and_the_export_goes_on() {
    let stage = Stage::held(settings(), []);
    stage.end_spans(0..5);
    let expected = FlushError::Timeout {
        pending: 5,
        timeout: MOMENT,
    };
    assert_eq!(stage.pipeline.flush(MOMENT), Err(expected));
    assert_eq!(stage.stats().exporting, 5);
    stage.let_end(1);
    stage.flush();
    assert_eq!(stage.stats().exported, 5);
}

#[test]
fn a_shutdown_ends_at_its_deadline_and_counts_what_was_lost() {
    let stage = Stage::held(
        BatchSettings {
            max_batch_spans: 10,
            max_concurrent_exports: 1,
            ..settings()
        },
        [],
    );
    stage.end_spans(0..25);
    let expected = FlushError::Timeout {
        pending: 25,
        timeout: MOMENT,
    };
    assert_eq!(stage.pipeline.shutdown(MOMENT), Err(expected));
    let expected = Stats {
        ended: 25,
        failed: 25,
        ..Stats::default()
    };
    assert_eq!(stage.stats(), expected);
    assert_eq!(
        stage.pipeline.last_failure(),
        "the shutdown's time was over"
    );
}

#[test]
fn a_shutdown_exports_what_has_ended_and_drops_what_ends_later() {
    let stage = Stage::new(settings(), []);
    stage.end_spans(0..25);
    assert_eq!(stage.pipeline.shutdown(PATIENCE), Ok(()));
    stage.end_spans(25..30);
    let stats = stage.stats();
    assert_eq!((stats.exported, stats.dropped, stats.ended), (25, 5, 30));
    assert_adds_up(&stats);
}

#[test]
fn after_a_shutdown_everything_is_refused_at_once() {
    let stage = Stage::new(settings(), []);
    assert_eq!(stage.pipeline.shutdown(PATIENCE), Ok(()));
    assert_eq!(stage.pipeline.shutdown(PATIENCE), Err(FlushError::ShutDown));
    assert_eq!(stage.pipeline.flush(PATIENCE), Err(FlushError::ShutDown));
}

#[test]
fn who_waits_for_a_flush_is_answered_by_a_shutdown_whose_time_is_over() {
    let stage = Stage::held(settings(), []);
    stage.end_spans(0..5);
    thread::scope(|scope| {
        let flush = scope.spawn(|| stage.pipeline.flush(PATIENCE));
        // Its export begins when the worker has taken the flush.
        stage.next_export();
        let shutdown = stage.pipeline.shutdown(MOMENT);
        assert!(matches!(shutdown, Err(FlushError::Timeout { .. })));
        assert_eq!(flush.join().unwrap(), Err(FlushError::ShutDown));
    });
}

#[test]
fn several_may_ask_for_a_shutdown_at_once() {
    let stage = Stage::new(settings(), []);
    stage.end_spans(0..5);
    let results: Vec<_> = thread::scope(|scope| {
        let askers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| stage.pipeline.shutdown(PATIENCE)))
            .collect();
        askers
            .into_iter()
            .map(|asker| asker.join().unwrap())
            .collect()
    });
    assert!(results.contains(&Ok(())), "{results:?}");
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Ok(()) | Err(FlushError::ShutDown))),
        "{results:?}"
    );
    assert_eq!(stage.stats().exported, 5);
}

#[test]
fn those_who_wait_for_a_flush_are_bounded_and_a_shutdown_is_always_taken() {
    let stage = Stage::held(settings(), []);
    stage.end_spans(0..5);
    let mut context = Context::from_waker(Waker::noop());
    let mut flushes = Vec::new();
    let refused = loop {
        let mut flush = Box::pin(stage.pipeline.flush_async(PATIENCE));
        match flush.as_mut().poll(&mut context) {
            Poll::Pending => flushes.push(flush),
            Poll::Ready(result) => break result,
        }
    };
    assert_eq!((refused, flushes.len()), (Err(FlushError::Busy), 1_024));
    stage.let_end(1);
    assert_eq!(stage.pipeline.shutdown(PATIENCE), Ok(()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_flush_holds_up_no_runtime_and_needs_none() {
    let stage = Stage::new(settings(), []);
    stage.end_spans(0..5);
    assert_eq!(stage.pipeline.flush_async(PATIENCE).await, Ok(()));
    stage.end_spans(5..10);
    // On the runtime's only thread: it is held up, and the worker does not need it.
    assert_eq!(stage.pipeline.flush(PATIENCE), Ok(()));
    stage.end_spans(10..15);
    assert_eq!(stage.pipeline.shutdown_async(PATIENCE).await, Ok(()));
    assert_eq!(stage.stats().exported, 15);
}
