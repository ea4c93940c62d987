//! A thread that counts the signals that ask a process to end.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

/// How many signals came, and a runtime whose clock works whatever the service runs on.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    pub(super) count: watch::Receiver<usize>,
    pub(super) clock: Handle,
}

/// One thread for the process, which stays: from the first call on the signals do not end the process by themselves.
static LISTENER: Mutex<Option<Signals>> = Mutex::new(None);

pub(super) fn listen() -> io::Result<Signals> {
    let mut listener = LISTENER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(signals) = &*listener {
        return Ok(signals.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let clock = runtime.handle().clone();
    let mut source = {
        let _entered = runtime.enter();
        Source::new()?
    };
    let (sender, count) = watch::channel(0);
    thread::Builder::new()
        .name("backtrail-signal".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    source.next().await;
                    sender.send_modify(|count| *count += 1);
                }
            });
        })?;
    Ok(listener.insert(Signals { count, clock }).clone())
}

#[cfg(unix)]
struct Source {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Source(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Source {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
