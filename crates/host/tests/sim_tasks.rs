//! Simulated tasks run in an order, and in a time, that the seed alone decides.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host::TasksExt;
use host::sim::{Crash, SimHost};
use tokio::sync::{Notify, mpsc, oneshot};

const SECOND: Duration = Duration::from_secs(1);

/// The order in which eight tasks reach a channel.
fn order(seed: u64) -> Vec<u32> {
    let sim = SimHost::new(seed);
    let host = sim.host();
    let (sender, mut receiver) = mpsc::channel(8);
    for number in 0..8 {
        let sender = sender.clone();
        host.tasks.spawn(
            "counted",
            Box::pin(async move { sender.send(number).await.unwrap() }),
        );
    }
    drop(sender);
    sim.block_on(async {
        let mut order = Vec::new();
        while let Some(number) = receiver.recv().await {
            order.push(number);
        }
        order
    })
}

#[test]
fn a_seed_decides_the_order() {
    assert_eq!(order(3), order(3));
    let orders: BTreeSet<_> = (0..20).map(order).collect();
    assert!(orders.len() > 15, "{} orders of 20 seeds", orders.len());
}

#[test]
fn time_passes_only_when_everybody_sleeps() {
    let sim = SimHost::new(1);
    let host = sim.host();
    let started = host.clock.now_unix_nano();
    let woken = Arc::new(Mutex::new(Vec::new()));
    for hours in [3, 1, 2] {
        let (tasks, clock, woken) = (host.tasks.clone(), host.clock.clone(), woken.clone());
        let sleeper = async move {
            tasks.sleep(SECOND * 3600 * hours).await;
            woken.lock().unwrap().push((hours, clock.monotonic()));
        };
        host.tasks.spawn("sleeper", Box::pin(sleeper));
    }
    sim.run_for(SECOND * 3600 * 4);
    let expected = [1, 2, 3].map(|hours| (hours, SECOND * 3600 * hours));
    assert_eq!(*woken.lock().unwrap(), expected);
    let passed = Duration::from_nanos(host.clock.now_unix_nano() - started);
    assert_eq!(passed, SECOND * 3600 * 4);
}

#[test]
fn the_clock_can_be_moved_by_hand() {
    let sim = SimHost::new(1);
    let host = sim.host();
    let sleep = host.tasks.sleep(SECOND);
    sim.clock().advance(SECOND * 5);
    sim.block_on(sleep);
    assert_eq!(host.clock.monotonic(), SECOND * 5);
    sim.clock().set_unix_nano(1_451_606_400_000_000_000);
    assert_eq!(host.clock.now_unix_nano(), 1_451_606_400_000_000_000);
    assert_eq!(host.clock.monotonic(), SECOND * 5);
}

#[test]
fn blocking_work_hands_back_its_result() {
    let sim = SimHost::new(1);
    let tasks = sim.host().tasks;
    assert_eq!(sim.block_on(tasks.run_blocking(|| 6 * 7)), Ok(42));
}

#[test]
fn blocking_work_is_done_though_nobody_waits() {
    let sim = SimHost::new(1);
    let done = Arc::new(AtomicUsize::new(0));
    let seen = done.clone();
    drop(sim.host().tasks.blocking(Box::new(move || {
        seen.fetch_add(1, Ordering::Relaxed);
    })));
    sim.run_for(SECOND);
    assert_eq!(done.load(Ordering::Relaxed), 1);
}

#[test]
fn leftover_tasks_run_on_in_the_next_call() {
    let sim = SimHost::new(1);
    let tasks = sim.host().tasks;
    let (sender, mut receiver) = oneshot::channel();
    let sleep = tasks.sleep(SECOND * 10);
    tasks.spawn(
        "late",
        Box::pin(async move {
            sleep.await;
            sender.send(()).unwrap();
        }),
    );
    sim.run_for(SECOND);
    assert!(receiver.try_recv().is_err());
    sim.run_for(SECOND * 10);
    receiver.try_recv().unwrap();
}

#[test]
fn a_crash_drops_tasks_where_they_stand() {
    let sim = SimHost::new(1);
    let host = sim.host();
    let held = Arc::new(());
    let (tasks, kept) = (host.tasks.clone(), held.clone());
    let endless = async move {
        loop {
            tasks.sleep(SECOND).await;
            let _ = &kept;
        }
    };
    host.tasks.spawn("endless", Box::pin(endless));
    sim.run_for(SECOND * 3);
    assert_eq!(Arc::strong_count(&held), 2);
    sim.crash(Crash::KeepAll);
    assert_eq!(Arc::strong_count(&held), 1);

    let kept = held.clone();
    host.tasks
        .spawn("too late", Box::pin(async move { drop(kept) }));
    assert_eq!(Arc::strong_count(&held), 1);
    sim.run_for(SECOND);
}

#[test]
#[should_panic(
    expected = "deadlock: nothing can run and nobody sleeps; tasks that wait: [\"stuck\"]"
)]
fn a_deadlock_is_named() {
    let sim = SimHost::new(1);
    sim.host()
        .tasks
        .spawn("stuck", Box::pin(async { Notify::new().notified().await }));
    sim.block_on(Notify::new().notified());
}

#[test]
fn randomness_repeats_with_the_seed() {
    let draw = |seed| {
        let random = SimHost::new(seed).host().random;
        let mut bytes = [0; 21];
        random.fill(&mut bytes);
        (bytes, random.next_u64())
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
