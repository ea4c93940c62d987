//! How many questions run, and how many wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::failure::Failure;

/// Questions that wait for each one that runs.
const WAITING_EACH: usize = 16;

/// Lets a bounded number of questions run and a bounded number wait; refuses the rest. Cheap to clone.
#[derive(Clone)]
pub(super) struct Gate {
    /// One for each question that runs or waits.
    places: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Gate {
    /// Two for each processor: one may wait for a disk.
    pub(super) fn for_this_machine() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self::new(2 * processors, 2 * processors * WAITING_EACH)
    }

    pub(super) fn new(running: usize, waiting: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(running + waiting)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Runs blocking work when its turn comes. The work is told when nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => {
                return Err(Failure::Overloaded);
            }
        };
        let turn = Arc::clone(&self.running).acquire_owned().await;
        let turn = turn.map_err(Failure::internal)?;
        let waiter = Waiter::default();
        let is_abandoned = Arc::clone(&waiter.is_gone);
        let done = tokio::task::spawn_blocking(move || {
            // Work that nobody waits for still takes its place until it ends.
            let _permits: [OwnedSemaphorePermit; 2] = [place, turn];
            work(&|| is_abandoned.load(Ordering::Relaxed))
        });
        done.await.map_err(Failure::internal)
    }
}

/// Whoever waits for an answer. Dropped, it tells the work.
#[derive(Default)]
struct Waiter {
    is_gone: Arc<AtomicBool>,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.is_gone.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn more_than_may_wait_are_refused() {
        let gate = Gate::new(1, 1);
        let (release, held) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run(move |_| held.recv()).await }
        });
        let second = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run(|_| 2).await }
        });
        while gate.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.run(|_| 3).await, Err(Failure::Overloaded));
        release.send(()).unwrap();
        assert!(first.await.unwrap().is_ok());
        assert_eq!(second.await.unwrap(), Ok(2));
        assert_eq!(gate.run(|_| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn work_learns_that_nobody_waits() {
        let gate = Gate::new(1, 1);
        let (report, ended) = mpsc::channel();
        let asked = gate.run(move |is_abandoned| {
            while !is_abandoned() {
                std::thread::sleep(Duration::from_millis(1));
            }
            report.send(()).unwrap();
        });
        let given_up = tokio::time::timeout(Duration::from_millis(20), asked).await;
        assert!(given_up.is_err());
        let ended =
            tokio::task::spawn_blocking(move || ended.recv_timeout(Duration::from_secs(10)));
        assert!(ended.await.unwrap().is_ok());
    }
}
