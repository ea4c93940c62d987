//! A simulated machine: one seed, one run.
//!
//! [`SimHost`] hands out a [`Host`] whose every part is deterministic. Its disk
//! keeps a live and a durable image ([`SimDisk`]) and fails on command ([`Fault`]); its clock
//! moves only when no task can run ([`SimClock`]); its tasks share one thread and run in an order
//! drawn from the seed. [`SimHost::crash`] ends the process and, by the kind of [`Crash`], the power.
//!
//! To test code at every point where the machine can stop, count the operations of a run
//! and repeat it with each prefix of them:
//!
//! ```
//! use std::path::Path;
//!
//! use host::sim::{Crash, SimHost};
//! use host::Host;
//!
//! fn replace(host: &Host, bytes: &[u8]) -> std::io::Result<()> {
//!     let file = host.files.create_new(Path::new("new"))?;
//!     file.write_all_at(bytes, 0)?;
//!     file.sync_data()?;
//!     host.files.rename(Path::new("new"), Path::new("kept"))?;
//!     host.files.sync_dir(Path::new("."))
//! }
//!
//! let mut operations = 0;
//! loop {
//!     let sim = SimHost::new(operations);
//!     sim.disk().write_file("kept", b"old");
//!     sim.disk().cut_power_after(operations);
//!     let finished = replace(&sim.host(), b"new").is_ok();
//!     sim.crash(Crash::Torn);
//!     let kept = sim.disk().read_file("kept").unwrap();
//!     assert!(kept == b"new" || (kept == b"old" && !finished));
//!     if finished {
//!         break;
//!     }
//!     operations += 1;
//! }
//! assert_eq!(operations, 5);
//! ```

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Host;

mod clock;
mod content;
mod disk;
mod fault;
mod image;
mod random;
mod tasks;

pub use clock::SimClock;
pub use disk::SimDisk;
pub use fault::{Crash, Fault, Operation, OperationKind};
pub use random::SimRandom;
pub use tasks::SimTasks;

/// A simulated machine. See the [module](self).
pub struct SimHost {
    clock: SimClock,
    random: SimRandom,
    disk: SimDisk,
    /// Of the process that runs now; a crash replaces it.
    tasks: Mutex<SimTasks>,
}

impl SimHost {
    /// A machine with an empty disk. The same seed gives the same run.
    pub fn new(seed: u64) -> Self {
        let random = SimRandom::new(seed);
        let clock = SimClock::new();
        Self {
            disk: SimDisk::new(random.fork()),
            tasks: Mutex::new(SimTasks::new(clock.clone(), random.fork())),
            clock,
            random,
        }
    }

    /// The machine as the process that runs now sees it. After a [`crash`](Self::crash) take a new
    /// one: files and tasks of the old one fail.
    pub fn host(&self) -> Host {
        Host {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(self.random.clone()),
            files: self.disk.files(),
            tasks: Arc::new(self.tasks().clone()),
        }
    }

    /// The disk: to inject faults, to look, to damage.
    pub fn disk(&self) -> &SimDisk {
        &self.disk
    }

    /// The clock: to move it by hand.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Runs `future`, and with it the tasks that were spawned, until it is done. The clock
    /// jumps to the next sleeper whenever nothing else can run. Tasks that are left over stay
    /// and run on in the next call.
    ///
    /// # Panics
    ///
    /// When nothing can run any more and nobody sleeps (a deadlock; the message names the tasks),
    /// when ten million steps did not suffice, and with whatever a task panics.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let tasks = self.tasks().clone();
        tasks.block_on(future)
    }

    /// Runs the spawned tasks for `duration` of simulated time.
    pub fn run_for(&self, duration: Duration) {
        let tasks = self.tasks().clone();
        let sleep = crate::Tasks::sleep(&tasks, duration);
        tasks.block_on(sleep);
    }

    /// Ends the process: its tasks are dropped where they stand, its locks end, its files and
    /// tasks fail from now on. What the disk then holds, `crash` says. Faults, a cut that was
    /// planned and a policy, end too.
    pub fn crash(&self, crash: Crash) {
        // The disk first: what the dropped tasks do on their way out no longer reaches it.
        self.disk.stop();
        let fresh = SimTasks::new(self.clock.clone(), self.random.fork());
        let old = std::mem::replace(&mut *self.tasks(), fresh);
        old.close();
        self.disk.crash(crash);
    }

    fn tasks(&self) -> MutexGuard<'_, SimTasks> {
        lock(&self.tasks)
    }
}

impl std::fmt::Debug for SimHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimHost").finish_non_exhaustive()
    }
}

/// A panic in a test's task must not turn into a second one here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
