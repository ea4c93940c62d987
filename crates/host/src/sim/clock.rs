//! A clock that moves only when it is told to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::lock;
use crate::Clock;

/// 2026-01-01T00:00:00Z, where every simulation begins.
const START_UNIX_NANO: u64 = 1_767_225_600_000_000_000;

/// Simulated clocks; clones share one time.
#[derive(Debug, Clone)]
pub struct SimClock {
    time: Arc<Mutex<Time>>,
}

#[derive(Debug)]
struct Time {
    monotonic: Duration,
    /// The wall clock's time at `monotonic` zero; the wall clock can be moved on its own.
    epoch_unix_nano: u64,
}

impl SimClock {
    pub(super) fn new() -> Self {
        Self {
            time: Arc::new(Mutex::new(Time {
                monotonic: Duration::ZERO,
                epoch_unix_nano: START_UNIX_NANO,
            })),
        }
    }

    /// Lets time pass on both clocks. Sleepers that are due then wake in the next
    /// [`block_on`](super::SimHost::block_on).
    pub fn advance(&self, duration: Duration) {
        lock(&self.time).monotonic += duration;
    }

    /// Moves the wall clock alone, in either direction, as people and NTP do.
    pub fn set_unix_nano(&self, now_unix_nano: u64) {
        let mut time = lock(&self.time);
        let passed = nanos(time.monotonic);
        time.epoch_unix_nano = now_unix_nano.saturating_sub(passed);
    }

    pub(super) fn advance_to(&self, monotonic: Duration) {
        let mut time = lock(&self.time);
        time.monotonic = time.monotonic.max(monotonic);
    }
}

impl Clock for SimClock {
    fn now_unix_nano(&self) -> u64 {
        let time = lock(&self.time);
        time.epoch_unix_nano.saturating_add(nanos(time.monotonic))
    }

    fn monotonic(&self) -> Duration {
        lock(&self.time).monotonic
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
