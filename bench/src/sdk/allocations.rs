//! Counts what a thread allocates, while it asks for that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// `None` while nobody asks: then an allocation costs one comparison more than without this.
    static COUNTS: Cell<Option<Allocations>> = const { Cell::new(None) };
}

/// What a thread has allocated; growing a block counts as an allocation of its new size.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allocations {
    pub(super) count: u64,
    pub(super) bytes: u64,
}

/// Runs `work` and counts what the calling thread allocates meanwhile.
pub(super) fn counted(work: impl FnOnce()) -> Allocations {
    COUNTS.set(Some(Allocations::default()));
    work();
    COUNTS.take().unwrap_or_default()
}

/// The system's allocator, and a count.
pub(super) struct Counting;

fn count(bytes: usize) {
    if let Some(counts) = COUNTS.get() {
        COUNTS.set(Some(Allocations {
            count: counts.count + 1,
            bytes: counts.bytes + bytes as u64,
        }));
    }
}

#[expect(
    unsafe_code,
    reason = "an allocator is an unsafe trait; every call is handed on as it is"
)]
// SAFETY: each method upholds its contract because `System` does; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn allocations_of_the_calling_thread_are_counted_while_asked_for() {
        let counts = counted(|| drop(black_box(Vec::<u8>::with_capacity(100))));
        assert_eq!((counts.count, counts.bytes), (1, 100));
        drop(black_box(Vec::<u8>::with_capacity(100)));
        assert_eq!(counted(|| ()).count, 0);
    }
}
