//! How much waits in a queue.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Bits of the number that count bytes; those above count spans.
const BYTE_BITS: u32 = 40;
const BYTE_MASK: u64 = (1 << BYTE_BITS) - 1;
/// Half of what there is room for: what is counted for a moment, and taken back because it does not fit, carries nothing over.
const MAX_SPANS: usize = 1 << (u64::BITS - BYTE_BITS - 1);
const MAX_BYTES: usize = 1 << (BYTE_BITS - 1);

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
    pub(super) spans: usize,
    pub(super) bytes: usize,
}

impl Load {
    const fn packed(self) -> u64 {
        (self.spans as u64) << BYTE_BITS | self.bytes as u64
    }

    const fn unpacked(counts: u64) -> Self {
        Self {
            spans: (counts >> BYTE_BITS) as usize,
            bytes: (counts & BYTE_MASK) as usize,
        }
    }
}

impl Waiting {
    /// Bounds of more than 8,388,608 spans or 512 GiB are these.
    pub(super) fn new(max: Load) -> Self {
        Self {
            counts: AtomicU64::new(0),
            max: Load {
                spans: max.spans.min(MAX_SPANS),
                bytes: max.bytes.min(MAX_BYTES),
            },
        }
    }

    /// Counts a span, and tells what was there before; nothing when there is no room for it.
    #[inline]
    pub(super) fn add(&self, bytes: usize) -> Option<Load> {
        if bytes > self.max.bytes {
            return None;
        }
        let one = Load { spans: 1, bytes }.packed();
        let before = Load::unpacked(self.counts.fetch_add(one, Relaxed));
        if before.spans < self.max.spans && before.bytes + bytes <= self.max.bytes {
            return Some(before);
        }
        self.counts.fetch_sub(one, Relaxed);
        None
    }

    pub(super) fn remove(&self, load: Load) {
        self.counts.fetch_sub(load.packed(), Relaxed);
    }

    pub(super) fn load(&self) -> Load {
        Load::unpacked(self.counts.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(spans: usize, bytes: usize) -> Waiting {
        Waiting::new(Load { spans, bytes })
    }

    #[test]
    fn what_does_not_fit_is_not_counted() {
        let waiting = waiting(2, 100);
        assert_eq!(waiting.add(101), None);
        assert_eq!(waiting.add(60), Some(Load { spans: 0, bytes: 0 }));
        assert_eq!(waiting.add(41), None);
        assert_eq!(
            waiting.add(40),
            Some(Load {
                spans: 1,
                bytes: 60
            })
        );
        assert_eq!(waiting.add(0), None);
        assert_eq!(
            waiting.load(),
            Load {
                spans: 2,
                bytes: 100
            }
        );
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
        let waiting = waiting(usize::MAX, usize::MAX);
        assert_eq!(waiting.add(usize::MAX), None);
        assert_eq!(waiting.add(MAX_BYTES), Some(Load { spans: 0, bytes: 0 }));
        // As many threads as can be.
        for _ in 0..1_000 {
            assert_eq!(waiting.add(MAX_BYTES), None);
        }
        let full = Load {
            spans: 1,
            bytes: MAX_BYTES,
        };
        assert_eq!(waiting.load(), full);
    }
}
