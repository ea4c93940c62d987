//! The wish that a service ends, as a future.

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::process::exit;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::signals::{self, Signals};
use crate::deadline;

/// Ready when the process was asked to end. Servers take it as the future of their graceful shutdown; clones are ready together, and also
/// when they are made after the signal.
pub struct Stop {
    /// Nothing when it never comes.
    signals: Option<Signals>,
    waiting: Option<Waiting>,
}

type Waiting = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl Stop {
    /// Ready when SIGTERM or SIGINT comes, on Windows Ctrl-C. From now on they do not end the process by themselves. It needs no runtime of the service.
    ///
    /// # Errors
    /// When signals can't be listened for: the process has no thread or file descriptor left.
    pub fn on_signal() -> io::Result<Self> {
        Ok(Self {
            signals: Some(signals::listen()?),
            waiting: None,
        })
    }

    pub(super) const fn never() -> Self {
        Self {
            signals: None,
            waiting: None,
        }
    }

    /// Whether the process was asked to end.
    pub fn is_stopped(&self) -> bool {
        let signals = self.signals.as_ref();
        signals.is_some_and(|signals| *signals.count.borrow() > 0)
    }

    /// Waits on this thread. Inside of asynchronous code the future is awaited instead.
    pub fn wait(&self) {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut stop = pin!(self.clone());
        while stop.as_mut().poll(&mut context).is_pending() {
            thread::park();
        }
    }

    /// Ready at the signal after the first, or when time is over. It has a clock of its own.
    pub(super) async fn next_signal_or(self, timeout: Duration) {
        let Some(signals) = self.signals else {
            return pending().await;
        };
        let (sender, time_is_over) = oneshot::channel::<()>();
        let until = deadline::after(timeout);
        signals.clock.spawn(async move {
            sleep_until(until).await;
            drop(sender);
        });
        tokio::select! {
            _ = time_is_over => {}
            () = came(signals, 2) => {}
        }
    }

    /// Lets the signal after those that came end the process, as if nobody listened: it may be stuck in what follows.
    pub(super) fn exit_on_next_signal(self) {
        let Some(signals) = self.signals else {
            return;
        };
        let so_far = *signals.count.borrow();
        signals.clock.clone().spawn(async move {
            came(signals, so_far + 1).await;
            exit(EXIT_CODE);
        });
    }
}

/// What a shell reports of a process that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// Ready when so many signals came since the process began.
async fn came(mut signals: Signals, count: usize) {
    if signals.count.wait_for(|came| *came >= count).await.is_err() {
        // The thread that listens is gone: nothing comes any more.
        pending::<()>().await;
    }
}

impl Future for Stop {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(signals) = self.signals.clone() else {
            return Poll::Pending;
        };
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(came(signals, 1)));
        let polled = waiting.as_mut().poll(context);
        if polled.is_ready() {
            // Asked again it is ready again.
            self.waiting = None;
        }
        polled
    }
}

impl Clone for Stop {
    fn clone(&self) -> Self {
        Self {
            signals: self.signals.clone(),
            waiting: None,
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop")
            .field("is_stopped", &self.is_stopped())
            .finish()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
