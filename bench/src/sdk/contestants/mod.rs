//! The SDKs, each used as its own documentation says, behind one interface.

mod drop_reports;
mod fastrace;
mod opentelemetry;
mod opentelemetry_async;
mod ours;
mod pipeline;
mod roofline;
mod tracing;

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;

pub(super) use self::fastrace::Fastrace;
pub(super) use self::opentelemetry::OpenTelemetry;
pub(super) use self::opentelemetry_async::OpenTelemetryAsync;
pub(super) use self::ours::Ours;
pub(super) use self::roofline::Roofline;
pub(super) use self::tracing::Tracing;
use super::request::Request;
use super::task::Task;

/// An SDK that is set up.
pub(super) trait Contestant: Sized + Sync {
    /// So many spans may end without a flush between them before it needs more room than its
    /// queues have, if the settings leave it more.
    const IN_FLIGHT_MAX: u64 = 1 << 16;

    fn start(task: &Task) -> Result<Self>;

    /// Creates the span of `request` and ends it.
    fn span(&self, request: &Request);

    /// `router` with the contestant's layer for HTTP servers around it, if it has one.
    fn around(&self, _router: Router) -> Option<Router> {
        None
    }

    /// Called on each thread that has created spans, after the last of `created` spans; for those
    /// who keep some of them in the thread.
    fn release(&self, _created: u64, _until: Instant) {}

    /// Returns when all of `created` spans are sent or lost, or at `until`.
    fn flush(&self, created: u64, until: Instant);

    /// Shuts the SDK down and asks it how many spans it has dropped, if it tells.
    fn finish(self, timeout: Duration) -> Option<u64>;
}
