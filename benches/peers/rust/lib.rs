// SPDX-License-Identifier: Apache-2.0
//! Rings and transports in Rust as subjects of the benches: `disruptor`, and each with a feature of
//! its own `disruptor-mp`, `myelon`, `memlink-shm`, `iceoryx2`.
//!
//! C calls these functions once for a whole loop; the loops are here, so that the rings' calls are
//! inlined into them. One writer and one reader for each direction, both without threads of the
//! library's own; waits are a pause between two looks, as in the probes.

mod arena;
#[cfg(any(feature = "myelon", feature = "memlink", feature = "iceoryx2"))]
mod channel;
#[cfg(feature = "myelon")]
mod frames;
#[cfg(feature = "iceoryx2")]
mod iox;
#[cfg(feature = "memlink")]
mod memlink;
#[cfg(feature = "mp")]
mod mp;
mod sp;

use std::hint::spin_loop;

pub const SLOTS: usize = 4096;

/// A payload: the words that `bench_fill()` writes and `bench_sum()` adds up.
pub trait Event: Copy + Default + Send + Sync + 'static {
    fn fill(&mut self, seed: u64);
    fn sum(&self) -> u64;
}

macro_rules! event {
    ($name:ident, $words:expr) => {
        #[derive(Copy, Clone, Default)]
        #[repr(C)]
        pub struct $name([u64; $words]);

        impl Event for $name {
            #[inline(always)]
            fn fill(&mut self, seed: u64) {
                for i in 0..$words {
                    self.0[i] = seed.wrapping_add(i as u64);
                }
            }

            #[inline(always)]
            fn sum(&self) -> u64 {
                self.0.iter().fold(0, |sum, word| sum.wrapping_add(*word))
            }
        }
    };
}

event!(Word, 1);
event!(Cell, 6);

/// One process's ends: it writes on one ring and reads from another.
pub trait Ends {
    /// Publishes one event, `batch` of them at once; false where there is no room.
    fn try_put(&mut self, value: u64) -> bool;
    fn try_put_batch(&mut self, batch: usize, value: u64) -> bool;
    /// Takes one event, all that are there: adds up their words, says how many they were.
    fn try_take(&mut self, sum: &mut u64) -> u64;
    fn try_take_all(&mut self, sum: &mut u64) -> u64;
}

#[inline(always)]
fn put<E: Ends>(ends: &mut E, value: u64) {
    while !ends.try_put(value) {
        spin_loop();
    }
}

#[inline(always)]
fn take<E: Ends>(ends: &mut E) -> u64 {
    let mut sum = 0;
    while ends.try_take(&mut sum) == 0 {
        spin_loop();
    }
    sum
}

/// What C holds: a pair of rings, of which each process attaches its ends.
pub trait Pair {
    fn attach(&mut self, side: u32) -> bool;
    fn detach(&mut self, side: u32);
    fn ask(&mut self, count: u64, value: u64) -> u64;
    fn answer(&mut self, count: u64) -> u64;
    fn send(&mut self, batch: usize, count: u64, value: u64);
    fn receive(&mut self, batch: usize, count: u64) -> u64;
}

pub fn ask<E: Ends>(ends: &mut E, count: u64, mut value: u64) -> u64 {
    for _ in 0..count {
        put(ends, value);
        value = take(ends);
    }
    value
}

pub fn answer<E: Ends>(ends: &mut E, count: u64) -> u64 {
    let mut value = 0;
    for _ in 0..count {
        value = take(ends);
        put(ends, value);
    }
    value
}

pub fn send<E: Ends>(ends: &mut E, batch: usize, count: u64, value: u64) {
    if batch == 1 {
        for i in 0..count {
            put(ends, value.wrapping_add(i));
        }
        return;
    }
    for first in (0..count).step_by(batch) {
        while !ends.try_put_batch(batch, value.wrapping_add(first)) {
            spin_loop();
        }
    }
}

pub fn receive<E: Ends>(ends: &mut E, batch: usize, count: u64) -> u64 {
    let (mut sum, mut received) = (0, 0);
    while received < count {
        let found = if batch == 1 {
            ends.try_take(&mut sum)
        } else {
            ends.try_take_all(&mut sum)
        };
        if found == 0 {
            spin_loop();
        }
        received += found;
    }
    sum
}

/// A pair behind one pointer.
pub struct Handle(Box<dyn Pair>);

fn handle<P: Pair + 'static>(pair: Option<P>) -> *mut Handle {
    match pair {
        Some(pair) => Box::into_raw(Box::new(Handle(Box::new(pair)))),
        None => std::ptr::null_mut(),
    }
}

#[cfg(feature = "myelon")]
fn open_sized(bytes: u32, slots: usize) -> *mut Handle {
    use myelon::transport::AlignedFixedFrame as Frame;

    match bytes {
        64 => frames::open::<Frame<64>>(slots, 64),
        1024 => frames::open::<Frame<1024>>(slots, 1024),
        4096 => frames::open::<Frame<4096>>(slots, 4096),
        32768 => frames::open::<Frame<32768>>(slots, 32768),
        131072 => frames::open::<Frame<131072>>(slots, 131072),
        2097152 => frames::open::<Frame<2097152>>(slots, 2097152),
        _ => std::ptr::null_mut(),
    }
}

/// `which`: 0 disruptor, 1 disruptor-mp, 2 myelon, 3 myelon with frames of the payload's size, 4
/// memlink-shm, 5 iceoryx2; the last four have `slots`. Null where there is none of that size.
#[no_mangle]
pub extern "C" fn bench_rust_open(which: u32, payload_bytes: u32, slots: u32) -> *mut Handle {
    match (which, payload_bytes) {
        (0, 8) => handle(sp::open::<Word>()),
        (0, 48) => handle(sp::open::<Cell>()),
        #[cfg(feature = "mp")]
        (1, 8) => handle(mp::open::<Word>()),
        #[cfg(feature = "mp")]
        (1, 48) => handle(mp::open::<Cell>()),
        #[cfg(feature = "myelon")]
        (2, bytes) => frames::open::<frames::Frame64K>(frames::FRAMES_OF_64K, bytes as usize),
        #[cfg(feature = "myelon")]
        (3, bytes) => open_sized(bytes, slots as usize),
        #[cfg(feature = "memlink")]
        (4, bytes) => memlink::open(slots as usize, bytes as usize),
        #[cfg(feature = "iceoryx2")]
        (5, bytes) => iox::open(slots as usize, bytes as usize),
        _ => {
            let _ = slots;
            std::ptr::null_mut()
        }
    }
}

/// When both processes of `run`, the first one's number, are gone.
#[no_mangle]
pub extern "C" fn bench_rust_clean(run: u32) {
    #[cfg(feature = "iceoryx2")]
    iox::clean(run);
    let _ = run;
}

/// # Safety
/// Here and below: `pair` is of `bench_rust_open()`.
#[no_mangle]
pub unsafe extern "C" fn bench_rust_attach(pair: *mut Handle, side: u32) -> i32 {
    if (*pair).0.attach(side) {
        0
    } else {
        -1
    }
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_detach(pair: *mut Handle, side: u32) {
    (*pair).0.detach(side)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_ask(pair: *mut Handle, count: u64, value: u64) -> u64 {
    (*pair).0.ask(count, value)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_answer(pair: *mut Handle, count: u64) -> u64 {
    (*pair).0.answer(count)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_send(pair: *mut Handle, batch: u32, count: u64, value: u64) {
    (*pair).0.send(batch as usize, count, value)
}

#[no_mangle]
pub unsafe extern "C" fn bench_rust_receive(pair: *mut Handle, batch: u32, count: u64) -> u64 {
    (*pair).0.receive(batch as usize, count)
}
