//! SIGTERM, Ctrl-C and SIGHUP.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the shell reports of a process that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// The signal that asks us to read our settings again; `None` in a terminal, where it says that the terminal is gone and ends the process.
pub(super) fn hangup() -> io::Result<Option<Signal>> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// The signals that ask us to stop.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on they no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The name of the next one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }

    /// Lets the next one end the process at once.
    pub(crate) fn exit_on_next(mut self) {
        tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!("{name} again: ended at once; every acknowledged span is in the log");
            std::process::exit(EXIT_CODE);
        });
    }
}
