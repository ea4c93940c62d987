//! Tasks, sleep, and a place for work that blocks.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A boxed future; the same type as in `futures`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs tasks.
pub trait Tasks: Send + Sync {
    /// Starts a task that nobody waits for. `name` is for people who debug.
    fn spawn(&self, name: &'static str, future: BoxFuture<'static, ()>);

    /// A future that resolves once `duration` has passed since this call.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Starts work that blocks, such as file access, where it holds nobody up. It starts at once
    /// and is finished even when the returned future, which resolves afterwards, is dropped.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
}

/// What follows from [`Tasks`].
pub trait TasksExt: Tasks {
    /// Runs blocking work and hands back what it returns. The work starts at once, also when the
    /// future is never polled.
    fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> BoxFuture<'static, Result<T, BlockingLost>> {
        let (sender, receiver) = oneshot::channel();
        let done = self.blocking(Box::new(move || {
            // Nobody may wait for it any more; the work was asked for all the same.
            let _ = sender.send(work());
        }));
        Box::pin(async move {
            done.await;
            receiver.await.map_err(|_| BlockingLost)
        })
    }
}

impl<T: Tasks + ?Sized> TasksExt for T {}

/// Blocking work gave no result: it panicked, or the runtime shut down before it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("blocking work gave no result: it panicked, or the runtime is shutting down")]
pub struct BlockingLost;

/// Tasks on a tokio runtime.
#[derive(Debug)]
pub struct TokioTasks {
    handle: Option<Handle>,
}

impl TokioTasks {
    /// Tasks on the runtime that is current here; when there is none, on the one that is current
    /// where a task is used.
    pub fn new() -> Self {
        Self {
            handle: Handle::try_current().ok(),
        }
    }

    fn handle(&self) -> Handle {
        self.handle.clone().unwrap_or_else(Handle::current)
    }
}

impl Default for TokioTasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks for TokioTasks {
    /// # Panics
    ///
    /// When there is no tokio runtime, neither here nor where `self` was made.
    fn spawn(&self, _name: &'static str, future: BoxFuture<'static, ()>) {
        self.handle().spawn(future);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let _runtime = self.handle().enter();
        Box::pin(tokio::time::sleep(duration))
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let running = self.handle().spawn_blocking(work);
        Box::pin(async move {
            // A panic was reported by the panic hook; `run_blocking` turns it into an error.
            let _ = running.await;
        })
    }
}
