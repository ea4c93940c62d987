//! Tasks on one thread, in an order that a seed decides, in a time that only they move.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::clock::SimClock;
use super::lock;
use super::random::SimRandom;
use crate::{BoxFuture, Clock, Tasks};

/// A run that needs more steps than this runs in a circle.
const MAX_STEPS: u64 = 10_000_000;

/// The future of `block_on` among the tasks.
const MAIN: u64 = 0;

/// The tasks of one simulated process; clones are the same process.
#[derive(Clone)]
pub struct SimTasks {
    executor: Arc<Executor>,
}

struct Executor {
    clock: SimClock,
    random: SimRandom,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tasks: BTreeMap<u64, Task>,
    ready: Vec<u64>,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    last_id: u64,
    closed: bool,
}

struct Task {
    name: &'static str,
    /// `None` while it is being polled.
    future: Option<BoxFuture<'static, ()>>,
}

impl SimTasks {
    pub(super) fn new(clock: SimClock, random: SimRandom) -> Self {
        Self {
            executor: Arc::new(Executor {
                clock,
                random,
                state: Mutex::default(),
            }),
        }
    }

    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut main = pin!(future);
        let main_waker = self.executor.waker(MAIN);
        self.executor.make_ready(MAIN);
        for _ in 0..MAX_STEPS {
            self.executor.wake_sleepers();
            let Some(id) = self.executor.take_ready() else {
                self.executor.pass_time();
                continue;
            };
            if id == MAIN {
                let mut context = Context::from_waker(&main_waker);
                if let Poll::Ready(output) = main.as_mut().poll(&mut context) {
                    return output;
                }
            } else {
                self.executor.poll_task(id);
            }
        }
        panic!("the simulation did not end within {MAX_STEPS} steps");
    }

    /// Drops every task; those that are spawned later are dropped at once.
    pub(super) fn close(&self) {
        let dropped = {
            let mut state = lock(&self.executor.state);
            state.closed = true;
            state.ready.clear();
            std::mem::take(&mut state.tasks)
        };
        // Outside the lock: dropping a future may wake others.
        drop(dropped);
    }
}

impl Tasks for SimTasks {
    fn spawn(&self, name: &'static str, future: BoxFuture<'static, ()>) {
        let mut state = lock(&self.executor.state);
        if state.closed {
            drop(state);
            drop(future);
            return;
        }
        state.last_id += 1;
        let id = state.last_id;
        let future = Some(future);
        state.tasks.insert(id, Task { name, future });
        state.ready.push(id);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.executor.sleep(duration))
    }

    /// Runs the work as a task: at once or, half of the time, up to a millisecond later, so that
    /// others overtake it.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let random = &self.executor.random;
        let delay = Duration::from_micros(random.below(1000) * random.below(2));
        let sleep = self.executor.sleep(delay);
        let (finished, done) = tokio::sync::oneshot::channel();
        self.spawn(
            "blocking work",
            Box::pin(async move {
                sleep.await;
                work();
                // Nobody may wait for it any more.
                let _ = finished.send(());
            }),
        );
        Box::pin(async move {
            // An error means that the process ended before the work began.
            let _ = done.await;
        })
    }
}

impl Executor {
    fn waker(self: &Arc<Self>, id: u64) -> Waker {
        let executor = Arc::downgrade(self);
        Waker::from(Arc::new(TaskWaker { id, executor }))
    }

    fn make_ready(&self, id: u64) {
        let mut state = lock(&self.state);
        let exists = id == MAIN || state.tasks.contains_key(&id);
        if exists && !state.ready.contains(&id) {
            state.ready.push(id);
        }
    }

    fn take_ready(&self) -> Option<u64> {
        let mut state = lock(&self.state);
        if state.ready.is_empty() {
            return None;
        }
        let chosen = self.random.below(state.ready.len() as u64) as usize;
        Some(state.ready.swap_remove(chosen))
    }

    fn poll_task(self: &Arc<Self>, id: u64) {
        let taken = lock(&self.state)
            .tasks
            .get_mut(&id)
            .and_then(|task| task.future.take());
        let Some(mut future) = taken else { return };
        let waker = self.waker(id);
        let finished = future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        let mut state = lock(&self.state);
        if finished || state.closed {
            state.tasks.remove(&id);
            drop(state);
            drop(future);
        } else if let Some(task) = state.tasks.get_mut(&id) {
            task.future = Some(future);
        }
    }

    fn sleep(self: &Arc<Self>, duration: Duration) -> Sleep {
        let mut state = lock(&self.state);
        state.last_id += 1;
        Sleep {
            key: (
                self.clock.monotonic().saturating_add(duration),
                state.last_id,
            ),
            executor: Arc::clone(self),
        }
    }

    /// Wakes who should have woken by now; the clock may have been moved by hand.
    fn wake_sleepers(&self) {
        let now = self.clock.monotonic();
        loop {
            let waker = {
                let mut state = lock(&self.state);
                match state.sleepers.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            waker.wake();
        }
    }

    /// Moves the clock to the first sleeper.
    fn pass_time(&self) {
        let state = lock(&self.state);
        let Some(((deadline, _), _)) = state.sleepers.first_key_value() else {
            let names: Vec<&str> = state.tasks.values().map(|task| task.name).collect();
            panic!("deadlock: nothing can run and nobody sleeps; tasks that wait: {names:?}");
        };
        self.clock.advance_to(*deadline);
    }
}

struct TaskWaker {
    id: u64,
    executor: Weak<Executor>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if let Some(executor) = self.executor.upgrade() {
            executor.make_ready(self.id);
        }
    }
}

struct Sleep {
    /// The deadline, and a number that keeps sleepers of one deadline apart.
    key: (Duration, u64),
    executor: Arc<Executor>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.executor.clock.monotonic() >= self.key.0 {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        let replaced = lock(&self.executor.state).sleepers.insert(self.key, waker);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let removed = lock(&self.executor.state).sleepers.remove(&self.key);
        drop(removed);
    }
}
