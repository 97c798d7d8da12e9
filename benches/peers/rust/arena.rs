// SPDX-License-Identifier: Apache-2.0
//! Memory for a ring that knows no other process: while `lend()` runs, what is allocated lies in
//! memory that C shares, at the same address on both sides of a fork, and is never given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

const ARENA_BYTES: u64 = 4 << 20;

extern "C" {
    fn bench_shared_memory(bytes: u64) -> *mut u8;
}

static LENDING: AtomicBool = AtomicBool::new(false);
static FIRST: AtomicUsize = AtomicUsize::new(usize::MAX); // of all arenas
static LAST: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);

struct Shared;

unsafe impl GlobalAlloc for Shared {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !LENDING.load(Relaxed) {
            return System.alloc(layout);
        }
        let at = (NEXT.load(Relaxed) + layout.align() - 1) & !(layout.align() - 1);
        if at + layout.size() > END.load(Relaxed) {
            return std::ptr::null_mut();
        }
        NEXT.store(at + layout.size(), Relaxed);
        at as *mut u8
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let place = at as usize;
        if place < FIRST.load(Relaxed) || place >= LAST.load(Relaxed) {
            System.dealloc(at, layout)
        }
    }
}

#[global_allocator]
static SHARED: Shared = Shared;

/// Before the processes part, by one thread.
pub fn lend<T>(make: impl FnOnce() -> T) -> T {
    let first = unsafe { bench_shared_memory(ARENA_BYTES) } as usize;
    let end = first + ARENA_BYTES as usize;
    FIRST.fetch_min(first, Relaxed);
    LAST.fetch_max(end, Relaxed);
    NEXT.store(first, Relaxed);
    END.store(end, Relaxed);
    LENDING.store(true, Relaxed);
    let made = make();
    LENDING.store(false, Relaxed);
    made
}
