//! The end of a service: it stops at a signal, finishes its requests, and loses no span.

mod outcome;
mod report;
mod signals;
mod stop;

use std::future::IntoFuture;
use std::io;
use std::pin::pin;
use std::time::Duration;

pub use outcome::ServerOutcome;
pub use report::ShutdownReport;
pub use stop::Stop;

use crate::TracingSystem;
use crate::report::TARGET;

/// How long a service may take to end.
///
/// ```
/// use std::time::Duration;
///
/// let options = backtrail::ServeOptions::default().drain_timeout(Duration::from_secs(25));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct ServeOptions {
    drain_timeout: Duration,
    flush_timeout: Duration,
}

impl Default for ServeOptions {
    /// 10 seconds to drain, 5 seconds to flush: together less than the 30 seconds after which Kubernetes kills.
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(10),
            flush_timeout: crate::system::SHUTDOWN_TIMEOUT,
        }
    }
}

impl ServeOptions {
    /// How long the server may take at most to finish what it has begun, from the signal on. Then it is dropped.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// How long the export of what has ended may take at most, from the server's end on.
    pub fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }
}

impl TracingSystem {
    /// Runs a server until SIGTERM or SIGINT (Ctrl-C on Windows) comes, or until it ends by itself; then exports what has ended, ends the system,
    /// and says so in one line on stderr: `Tracing terminated: 1234 spans exported, 0 lost`.
    ///
    /// The closure is given a [`Stop`], a future that is ready when the signal comes: a server that is told of it stops accepting and finishes its requests. It has
    /// 10 seconds for that, and the export 5; [`TracingSystem::serve_until_signal_with`] takes other times. A second signal ends the
    /// first wait; one that comes when all is done ends the process, which may be stuck in what follows. It works with every runtime, with one thread or many.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use backtrail::TracingSystem;
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let tracing = TracingSystem::new("orders").initialize()?;
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    ///     tracing
    ///         .serve_until_signal(|stop| axum::serve(listener, Router::new()).with_graceful_shutdown(stop))
    ///         .await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// What the server ended with. Spans that were lost are no error: the report has them.
    pub async fn serve_until_signal<S>(
        &self,
        serve: impl FnOnce(Stop) -> S,
    ) -> Result<ShutdownReport, <S::Output as ServerOutcome>::Error>
    where
        S: IntoFuture<Output: ServerOutcome>,
    {
        self.serve_until_signal_with(ServeOptions::default(), serve)
            .await
    }

    /// [`TracingSystem::serve_until_signal`] with times of its own.
    ///
    /// # Errors
    /// What the server ended with.
    pub async fn serve_until_signal_with<S>(
        &self,
        options: ServeOptions,
        serve: impl FnOnce(Stop) -> S,
    ) -> Result<ShutdownReport, <S::Output as ServerOutcome>::Error>
    where
        S: IntoFuture<Output: ServerOutcome>,
    {
        let stop = Stop::on_signal().unwrap_or_else(|error| {
            tracing::error!(target: TARGET, %error, "can't listen for signals: one that comes ends the process at once");
            Stop::never()
        });
        let ended = drained(serve(stop.clone()), stop.clone(), options.drain_timeout).await;
        let report = self.terminate_async(options.flush_timeout).await;
        stop.exit_on_next_signal();
        match ended {
            Some(outcome) => outcome.into_result().map(|()| report),
            None => Ok(report),
        }
    }

    /// Waits on this thread until SIGTERM or SIGINT (Ctrl-C on Windows) comes: for a program without an asynchronous runtime.
    /// [`TracingSystem::terminate`] follows.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracing = backtrail::TracingSystem::new("orders").initialize()?;
    /// // Threads of the service begin to work.
    /// tracing.wait_for_signal()?;
    /// // They are told to end, and joined.
    /// tracing.terminate(Duration::from_secs(5));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// When signals can't be listened for.
    pub fn wait_for_signal(&self) -> io::Result<()> {
        Stop::on_signal()?.wait();
        Ok(())
    }

    /// Exports what has ended, for at most `timeout`, ends the system, and says on stderr what became of the spans.
    pub fn terminate(&self, timeout: Duration) -> ShutdownReport {
        // What was lost is in the report.
        let _lost = self.shutdown_within(timeout);
        let report = ShutdownReport::of(self);
        report.print();
        report
    }

    /// [`TracingSystem::terminate`], without holding up the thread. Works with every runtime.
    pub async fn terminate_async(&self, timeout: Duration) -> ShutdownReport {
        // What was lost is in the report.
        let _lost = self.shutdown_async(timeout).await;
        let report = ShutdownReport::of(self);
        report.print();
        report
    }
}

/// What the server ended with; nothing when its time to drain was over, or a second signal came.
async fn drained<S: IntoFuture>(server: S, stop: Stop, timeout: Duration) -> Option<S::Output> {
    let mut server = pin!(server.into_future());
    tokio::select! {
        biased;
        ended = &mut server => return Some(ended),
        () = stop.clone() => {}
    }
    tracing::info!(target: TARGET, timeout_ms = timeout.as_millis() as u64, "a signal came: the server finishes its requests");
    let impatience = stop.next_signal_or(timeout);
    tokio::select! {
        biased;
        ended = server => Some(ended),
        () = impatience => {
            tracing::warn!(target: TARGET, "the server did not finish its requests in time");
            None
        }
    }
}
