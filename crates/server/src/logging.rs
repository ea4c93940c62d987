//! Our own log lines, on stderr.

use std::io::IsTerminal;

use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// Starts writing log lines. Once in a process.
pub(crate) fn start(log: &Log) -> Result<(), TryInitError> {
    let lines = tracing_subscriber::registry().with(log.level.to_env_filter());
    match log.format {
        LogFormat::Text => lines
            .with(
                fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal()),
            )
            .try_init(),
        LogFormat::Json => lines
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    }
}
