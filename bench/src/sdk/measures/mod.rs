//! What is measured, of any contestant.

mod allocate;
mod create;
mod handle;
mod offer;
mod send;

use std::time::{Duration, Instant};

pub(super) use self::allocate::allocate;
pub(super) use self::create::create;
pub(super) use self::handle::handle;
pub(super) use self::offer::offer;
pub(super) use self::send::send;
use super::contestants::Contestant;
use super::request::Request;

/// Fits into every contestant's queue, so that nothing is dropped and no exporter is woken.
const SPANS_PER_ROUND: u64 = 1_500;
/// Nobody needs as long for what a round has left.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// Rounds of spans, with everything sent between them.
struct Rounds<'a, C> {
    contestant: &'a C,
    request: Request,
    created: u64,
}

impl<'a, C: Contestant> Rounds<'a, C> {
    fn new(contestant: &'a C) -> Self {
        Self {
            contestant,
            request: Request::new(),
            created: 0,
        }
    }

    #[inline]
    fn create(&mut self, spans: u64) {
        for _ in 0..spans {
            self.contestant.span(&self.request);
        }
        self.created += spans;
    }

    fn flush(&mut self) {
        self.contestant
            .flush(self.created, Instant::now() + FLUSH_TIMEOUT);
    }
}
