//! The handle that a service keeps.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::trace::SdkTracerProvider;

use super::TracingSystemBuilder;
use super::inner::System;
use crate::processor::Pipeline;
use crate::propagation::Propagator;
use crate::{FlushError, Stats};

/// What a shutdown takes at most when nobody says otherwise.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The tracing of a service. Clones are the same system; when the last one is dropped, what has ended is exported, for at most five seconds.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use backtrail::TracingSystem;
///
/// let tracing = TracingSystem::new("orders").initialize()?;
/// backtrail::create_span_sync("add up", (), |_span| "1".parse::<u64>())?;
/// tracing.shutdown()?;
/// # Ok(()) }
/// ```
///
/// A handle that nobody keeps ends the system at once, so the compiler warns of it:
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// backtrail::TracingSystem::new("orders").initialize()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "tracing ends when the last handle is dropped: keep it until the end of `main`"]
pub struct TracingSystem {
    system: System,
    _last: Arc<LastHandle>,
}

#[derive(Debug)]
struct LastHandle(System);

impl Drop for LastHandle {
    fn drop(&mut self) {
        if let Err(error) = shutdown(&self.0, SHUTDOWN_TIMEOUT)
            && error != FlushError::ShutDown
        {
            tracing::warn!(target: crate::report::TARGET, %error, "tracing was dropped before it was shut down");
        }
    }
}

impl TracingSystem {
    /// Describes the system of a service; `OTEL_SERVICE_NAME` goes before the name.
    #[expect(
        clippy::new_ret_no_self,
        reason = "`TracingSystem::new(name).initialize()` is how it reads in the document that this follows"
    )]
    pub fn new(service_name: impl Into<String>) -> TracingSystemBuilder {
        TracingSystemBuilder::new(service_name.into())
    }

    /// The same as [`TracingSystem::new`].
    pub fn builder(service_name: impl Into<String>) -> TracingSystemBuilder {
        Self::new(service_name)
    }

    pub(super) fn of(system: System) -> Self {
        Self {
            _last: Arc::new(LastHandle(system.clone())),
            system,
        }
    }

    /// The service's name that is in force.
    pub fn service_name(&self) -> &str {
        &self.system.inner().service_name
    }

    /// False when `OTEL_SDK_DISABLED` or [`TracingSystemBuilder::enabled`] turned tracing off.
    pub fn is_enabled(&self) -> bool {
        self.system.inner().active.is_some()
    }

    /// What has become of the spans until now.
    pub fn stats(&self) -> Stats {
        let pipeline = self.system.pipeline();
        pipeline.map(Pipeline::stats).unwrap_or_default()
    }

    /// What was ignored in the configuration, and why. It was logged when the system was initialized.
    pub fn warnings(&self) -> &[String] {
        &self.system.inner().warnings
    }

    /// The propagator that `OTEL_PROPAGATORS` or code chose.
    pub fn propagator(&self) -> &Propagator {
        self.system.propagator()
    }

    /// The provider of the OpenTelemetry SDK, for instrumentation that was written against it; nothing when tracing is off.
    pub fn provider(&self) -> Option<&SdkTracerProvider> {
        Some(&self.system.inner().active.as_ref()?.provider)
    }

    /// A context in which this is the system that makes spans: for a process with several, and for tests.
    pub fn context(&self) -> Context {
        Context::map_current(|current| self.system.within(current))
    }

    /// Waits on this thread until all spans that have ended are exported, for at most `timeout`.
    ///
    /// # Errors
    /// When time was over first, or spans were lost meanwhile.
    pub fn force_flush(&self, timeout: Duration) -> Result<(), FlushError> {
        match self.system.pipeline() {
            Some(pipeline) => pipeline.flush(timeout),
            None => Ok(()),
        }
    }

    /// [`TracingSystem::force_flush`], without holding up the thread. Works with every runtime.
    ///
    /// # Errors
    /// When time was over first, or spans were lost meanwhile.
    pub async fn force_flush_async(&self, timeout: Duration) -> Result<(), FlushError> {
        match self.system.pipeline() {
            Some(pipeline) => pipeline.flush_async(timeout).await,
            None => Ok(()),
        }
    }

    /// Exports what has ended, for at most five seconds, and ends the system: spans that end later are dropped and counted.
    /// It waits on this thread, also in a runtime with one thread: exporting needs none of its threads.
    ///
    /// # Errors
    /// When time was over first, when spans were lost meanwhile, and when the system was shut down before.
    pub fn shutdown(&self) -> Result<(), FlushError> {
        self.shutdown_within(SHUTDOWN_TIMEOUT)
    }

    /// [`TracingSystem::shutdown`] with a time of its own.
    ///
    /// # Errors
    /// As [`TracingSystem::shutdown`].
    pub fn shutdown_within(&self, timeout: Duration) -> Result<(), FlushError> {
        shutdown(&self.system, timeout)
    }

    /// [`TracingSystem::shutdown_within`], without holding up the thread. Works with every runtime.
    ///
    /// # Errors
    /// As [`TracingSystem::shutdown`].
    pub async fn shutdown_async(&self, timeout: Duration) -> Result<(), FlushError> {
        match self.system.pipeline() {
            Some(pipeline) => pipeline.shutdown_async(timeout).await,
            None => Ok(()),
        }
    }

    /// What the exporter said of the last spans that it lost.
    pub(crate) fn last_failure(&self) -> Option<String> {
        let reason = self.system.pipeline()?.last_failure();
        (!reason.is_empty()).then_some(reason)
    }

    #[cfg(any(feature = "http", feature = "bridge"))]
    pub(crate) fn system(&self) -> &System {
        &self.system
    }
}

fn shutdown(system: &System, timeout: Duration) -> Result<(), FlushError> {
    match system.pipeline() {
        Some(pipeline) => pipeline.shutdown(timeout),
        None => Ok(()),
    }
}
