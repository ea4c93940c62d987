//! The machine behind small traits: clock, randomness, files with fsync, tasks and sleep.
//!
//! Everything that stores data takes a [`Host`] and touches the machine through nothing else. In
//! production it is [`Host::real`]; in a test it is the host of a [`sim::SimHost`], whose disk
//! forgets what was not synced, whose clock moves only when nothing else can, and whose tasks run
//! on one thread in an order that a seed decides. So one seed replays one run, crash included.
//!
//! ```
//! use std::path::Path;
//!
//! use host::sim::{Crash, SimHost};
//! use host::Host;
//!
//! fn publish(host: &Host) -> std::io::Result<()> {
//!     let file = host.files.create_new(Path::new("note"))?;
//!     file.write_all_at(b"kept", 0)?;
//!     file.sync_data()?;
//!     host.files.sync_dir(Path::new("."))
//! }
//!
//! let sim = SimHost::new(7);
//! publish(&sim.host()).unwrap();
//! sim.crash(Crash::DropUnsynced);
//! assert_eq!(sim.disk().read_file("note").unwrap(), b"kept");
//! ```
//!
//! It is not a runtime and not a file system abstraction: there is exactly what the log, the
//! blocks and the manifest need. Sockets stay with `tokio`, remote objects with `object_store`.

use std::sync::Arc;

mod clock;
mod file_bytes;
mod files;
mod random;
mod real_files;
pub mod sim;
mod tasks;

pub use clock::{Clock, SystemClock};
pub use file_bytes::FileBytes;
pub use files::{DirEntry, File, FileLock, Files, Space};
pub use random::{OsRandom, Random};
pub use real_files::RealFiles;
pub use tasks::{BlockingLost, BoxFuture, Tasks, TasksExt, TokioTasks};

/// What a component may touch of the machine. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    /// Wall clock and monotonic clock.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Local files and directories.
    pub files: Arc<dyn Files>,
    /// Tasks, sleep and the pool for blocking work.
    pub tasks: Arc<dyn Tasks>,
}

impl Host {
    /// The real machine. Tasks run on the tokio runtime that is current here or, when there is
    /// none yet, where a task is first used; without any, `tasks` panics and the rest works.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(OsRandom),
            files: Arc::new(RealFiles),
            tasks: Arc::new(TokioTasks::new()),
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}
