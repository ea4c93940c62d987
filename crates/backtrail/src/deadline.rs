//! Times that people may give as long as they like, within what a clock can count.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty years: nobody notices that it is not for ever, and no clock overflows.
const FOREVER: Duration = Duration::from_hours(30 * 365 * 24);

/// The moment that is so far away.
pub(crate) fn after(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(FOREVER)
}

/// A timeout as the specification has it: zero is no limit, or a very long time. Source: OpenTelemetry specification, "Common Configuration",
/// "Timeout".
pub(crate) fn limit(timeout: Duration) -> Duration {
    if timeout.is_zero() {
        FOREVER
    } else {
        timeout.min(FOREVER)
    }
}

/// Whether what [`limit`] returned is a limit that somebody may meet.
pub(crate) fn is_limited(limit: Duration) -> bool {
    limit < FOREVER
}
