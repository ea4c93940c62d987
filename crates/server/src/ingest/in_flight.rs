//! The bounded queue: how many bytes of requests may be on their way at one time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts bytes against a bound. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    max_bytes: usize,
    bytes: AtomicUsize,
    requests: AtomicUsize,
}

/// Bytes that were counted, until it is dropped. One is one request.
#[derive(Debug)]
pub(crate) struct Reservation {
    shared: Arc<Shared>,
    bytes: usize,
}

/// There is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

impl InFlight {
    /// At most `max_bytes` at one time.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                max_bytes,
                bytes: AtomicUsize::new(0),
                requests: AtomicUsize::new(0),
            }),
        }
    }

    /// A place for a request of which nothing has arrived yet. Refused at once, before anything
    /// is read, when `expected_bytes` would not fit now.
    pub(crate) fn enter(&self, expected_bytes: usize) -> Result<Reservation, Full> {
        let free = self.shared.max_bytes.saturating_sub(self.bytes());
        if expected_bytes > free {
            return Err(Full);
        }
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        Ok(Reservation {
            shared: Arc::clone(&self.shared),
            bytes: 0,
        })
    }

    /// How many bytes are counted now.
    pub(crate) fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// How many requests are on their way now.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

impl Reservation {
    /// Counts at least `total_bytes` for this request from now on. A client that promises much and
    /// sends slowly holds no more than it sent: callers grow by what has arrived.
    pub(crate) fn grow_to(&mut self, total_bytes: usize) -> Result<(), Full> {
        let more = total_bytes.saturating_sub(self.bytes);
        let max_bytes = self.shared.max_bytes;
        self.shared
            .bytes
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| {
                bytes.checked_add(more).filter(|bytes| *bytes <= max_bytes)
            })
            .map_err(|_| Full)?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.shared.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_room_comes_back() {
        let queue = InFlight::new(100);
        let mut first = queue.enter(60).unwrap();
        first.grow_to(60).unwrap();
        assert_eq!(queue.enter(41).unwrap_err(), Full);

        let mut second = queue.enter(40).unwrap();
        second.grow_to(40).unwrap();
        assert_eq!(second.grow_to(41), Err(Full));
        assert_eq!((queue.bytes(), queue.requests()), (100, 2));

        drop(first);
        second.grow_to(41).unwrap();
        second.grow_to(10).unwrap();
        assert_eq!((queue.bytes(), queue.requests()), (41, 1));

        drop(second);
        assert_eq!((queue.bytes(), queue.requests()), (0, 0));
    }
}
