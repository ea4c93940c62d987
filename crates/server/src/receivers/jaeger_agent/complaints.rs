//! Log lines about what senders do, who may do it thousands of times a second.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use host::Clock;

/// At most one line in this time.
const INTERVAL: Duration = Duration::from_secs(10);

/// Says something at most once in an interval, and how often it was not said.
pub(super) struct Complaints {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    quiet_until: Duration,
    unsaid: u64,
}

impl Complaints {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Logs `what` as a warning, unless there was a line not long ago.
    pub(super) fn say(&self, what: impl Display) {
        match self.count() {
            None => {}
            Some(0) => tracing::warn!("{what}"),
            Some(unsaid) => tracing::warn!("{what}; {unsaid} more since the last such line"),
        }
    }

    /// How many were not said since the last line; `None` when it is too early for another.
    fn count(&self) -> Option<u64> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.quiet_until {
            state.unsaid += 1;
            return None;
        }
        state.quiet_until = now + INTERVAL;
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Hands(Mutex<Duration>);

    impl Clock for Hands {
        fn now_unix_nano(&self) -> u64 {
            0
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn one_line_in_an_interval_and_a_count_of_the_others() {
        let clock = Arc::new(Hands::default());
        let complaints = Complaints::new(Arc::clone(&clock) as Arc<dyn Clock>);
        assert_eq!(complaints.count(), Some(0));
        for _ in 0..3 {
            assert_eq!(complaints.count(), None);
        }
        *clock.0.lock().unwrap() += INTERVAL;
        assert_eq!(complaints.count(), Some(3));
        assert_eq!(complaints.count(), None);
    }
}
