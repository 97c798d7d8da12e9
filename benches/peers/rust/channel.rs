// SPDX-License-Identifier: Apache-2.0
//! Messages of any size: one end that puts and takes bytes, made a pair that C can run.

use crate::Pair;

extern "C" {
    fn bench_peer_fill(payload: *mut u8, bytes: u32, seed: u64);
    fn bench_peer_sum(payload: *const u8, bytes: u32) -> u64;
}

/// Every byte, by the code that all subjects fill with.
///
/// # Safety
/// `payload` has room for `bytes`.
#[inline(always)]
pub unsafe fn fill(payload: *mut u8, bytes: usize, seed: u64) {
    bench_peer_fill(payload, bytes as u32, seed)
}

/// Every byte; a message of another size ends the bench.
#[inline(always)]
pub fn sum(payload: &[u8], bytes: usize) -> u64 {
    assert_eq!(payload.len(), bytes);
    unsafe { bench_peer_sum(payload.as_ptr(), bytes as u32) }
}

/// One process's end, which waits by asking again and again.
pub trait Channel {
    fn put(&mut self, bytes: usize, value: u64);
    fn take(&mut self, bytes: usize) -> u64;
}

/// What is there before the processes part, and makes each its end.
pub trait Maker {
    type End: Channel;
    fn attach(&mut self, side: u32) -> Option<Self::End>;
    fn detach(&mut self, side: u32, end: Option<Self::End>);
}

pub struct Channels<M: Maker> {
    pub maker: M,
    pub bytes: usize,
    pub end: Option<M::End>,
}

impl<M: Maker> Channels<M> {
    pub fn new(maker: M, bytes: usize) -> Self {
        Channels { maker, bytes, end: None }
    }

    #[inline(always)]
    fn end(&mut self) -> &mut M::End {
        self.end.as_mut().expect("attached")
    }
}

impl<M: Maker> Pair for Channels<M> {
    fn attach(&mut self, side: u32) -> bool {
        self.end = self.maker.attach(side);
        self.end.is_some()
    }

    fn detach(&mut self, side: u32) {
        let end = self.end.take();
        self.maker.detach(side, end)
    }

    fn ask(&mut self, count: u64, mut value: u64) -> u64 {
        let bytes = self.bytes;
        let end = self.end();
        for _ in 0..count {
            end.put(bytes, value);
            value = end.take(bytes);
        }
        value
    }

    fn answer(&mut self, count: u64) -> u64 {
        let bytes = self.bytes;
        let end = self.end();
        let mut value = 0;
        for _ in 0..count {
            value = end.take(bytes);
            end.put(bytes, value);
        }
        value
    }

    fn send(&mut self, _batch: usize, count: u64, value: u64) {
        let bytes = self.bytes;
        let end = self.end();
        for i in 0..count {
            end.put(bytes, value.wrapping_add(i));
        }
    }

    fn receive(&mut self, _batch: usize, count: u64) -> u64 {
        let bytes = self.bytes;
        let end = self.end();
        (0..count).fold(0u64, |sum, _| sum.wrapping_add(end.take(bytes)))
    }
}
