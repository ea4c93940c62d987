//! How much waits in a queue.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Bits of the number that count bytes; those above count spans.
const BYTE_BITS: u32 = 40;
const MAX_BYTES: u64 = (1 << BYTE_BITS) - 1;
const MAX_SPANS: u64 = (1 << (u64::BITS - BYTE_BITS)) - 1;

/// Spans and bytes that wait, in one number: a thread that ends a span changes both at once, and an atomic operation is a good part of
/// what that thread does.
#[derive(Debug)]
pub(super) struct Waiting {
    counts: AtomicU64,
    max: Load,
}

/// So many spans, and so many bytes of all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) spans: u64,
    pub(super) bytes: u64,
}

impl Load {
    const fn packed(self) -> u64 {
        self.spans << BYTE_BITS | self.bytes
    }

    const fn unpacked(counts: u64) -> Self {
        Self {
            spans: counts >> BYTE_BITS,
            bytes: counts & MAX_BYTES,
        }
    }
}

impl Waiting {
    /// Bounds of more than 16,777,215 spans or a byte less than 1 TiB are these.
    pub(super) fn new(max: Load) -> Self {
        Self {
            counts: AtomicU64::new(0),
            max: Load {
                spans: max.spans.min(MAX_SPANS),
                bytes: max.bytes.min(MAX_BYTES),
            },
        }
    }

    /// The bounds that are in force.
    pub(super) const fn max(&self) -> Load {
        self.max
    }

    /// Counts a span, and tells what was there before; nothing when there is no room for it. What has no room is not counted for a moment
    /// either: others would be refused for it.
    #[inline]
    pub(super) fn add(&self, bytes: u64) -> Option<Load> {
        let added = |counts| {
            let before = Load::unpacked(counts);
            let has_room = before.spans < self.max.spans && bytes <= self.max.bytes - before.bytes;
            has_room.then(|| counts + Load { spans: 1, bytes }.packed())
        };
        let before = self.counts.fetch_update(Relaxed, Relaxed, added);
        before.ok().map(Load::unpacked)
    }

    pub(super) fn remove(&self, load: Load) {
        self.counts.fetch_sub(load.packed(), Relaxed);
    }

    #[inline]
    pub(super) fn load(&self) -> Load {
        Load::unpacked(self.counts.load(Relaxed))
    }

    /// Whether there is no room for any span.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let Load { spans, bytes } = self.load();
        spans >= self.max.spans || bytes >= self.max.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn waiting(spans: u64, bytes: u64) -> Waiting {
        Waiting::new(Load { spans, bytes })
    }

    #[test]
    fn what_does_not_fit_is_not_counted() {
        let waiting = waiting(2, 100);
        assert_eq!(waiting.add(101), None);
        assert_eq!(waiting.add(60), Some(Load { spans: 0, bytes: 0 }));
        assert_eq!(waiting.add(41), None);
        assert!(!waiting.is_full());
        assert_eq!(
            waiting.add(40),
            Some(Load {
                spans: 1,
                bytes: 60
            })
        );
        assert!(waiting.is_full());
        assert_eq!(waiting.add(0), None);
        let both = Load {
            spans: 2,
            bytes: 100,
        };
        assert_eq!(waiting.load(), both);
        waiting.remove(Load {
            spans: 1,
            bytes: 60,
        });
        assert_eq!(
            waiting.add(60),
            Some(Load {
                spans: 1,
                bytes: 40
            })
        );
    }

    #[test]
    fn bounds_beyond_what_can_be_counted_are_the_greatest() {
        let waiting = waiting(u64::MAX, u64::MAX);
        assert_eq!(waiting.add(u64::MAX), None);
        assert_eq!(waiting.add(MAX_BYTES), Some(Load { spans: 0, bytes: 0 }));
        assert_eq!(waiting.add(1), None);
        assert!(waiting.add(0).is_some());
        let full = Load {
            spans: 2,
            bytes: MAX_BYTES,
        };
        assert_eq!(waiting.load(), full);
    }

    #[test]
    fn what_is_refused_takes_no_room_from_others() {
        let waiting = waiting(u64::MAX, 100);
        thread::scope(|scope| {
            let greedy = scope.spawn(|| (0..200_000).all(|_| waiting.add(90).is_none()));
            waiting.add(50);
            for _ in 0..200_000 {
                assert!(waiting.add(40).is_some());
                waiting.remove(Load {
                    spans: 1,
                    bytes: 40,
                });
            }
            drop(greedy);
        });
    }
}
