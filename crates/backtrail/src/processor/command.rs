//! What the worker is asked for, beside spans.

use std::time::Duration;

/// Why a flush or a shutdown did not bring every span to the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The deadline came first.
    #[error("{pending} spans were not exported within {} ms", timeout.as_millis())]
    Timeout {
        /// Spans that were still waiting or being sent.
        pending: u64,
        /// The time that was given.
        timeout: Duration,
    },
    /// Spans were given up or refused meanwhile.
    #[error("{lost} spans were lost: {reason}")]
    Lost {
        /// How many.
        lost: u64,
        /// What the exporter said of the last ones.
        reason: String,
    },
    /// The system has been shut down.
    #[error("tracing has been shut down")]
    ShutDown,
    /// 1,024 callers wait for a flush already.
    #[error("{MAX_WAITING} others are waiting for a flush already")]
    Busy,
}

/// How many may wait for a flush at one time.
pub(super) const MAX_WAITING: usize = 1024;

/// Called by the worker when what was asked for is done or its time is over.
pub(super) type Reply = Box<dyn FnOnce(Result<(), FlushError>) + Send>;

pub(super) struct Command {
    pub(super) timeout: Duration,
    pub(super) is_shutdown: bool,
    pub(super) reply: Reply,
}
