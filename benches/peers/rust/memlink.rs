// SPDX-License-Identifier: Apache-2.0
//! The ring of the crate `memlink-shm`. The crate's transport keeps its rings in the memory of each
//! process, so that nothing written on one side reaches the other; its ring takes pointers to memory
//! that is shared (`from_ptr`), and so it is measured: `write_slot` copies in, `read_slot` copies
//! into a vector that it allocates. At most 4096 bytes.

use std::mem::{size_of, ManuallyDrop};

use memlink_shm::buffer::{Priority, RingBuffer, RingHeader, Slot, MAX_SLOT_SIZE};

use crate::channel::{fill, sum, Channel, Channels, Maker};
use crate::{handle, Handle};

extern "C" {
    fn bench_shared_memory(bytes: u64) -> *mut u8;
}

/// Never dropped: the ring would free what it does not own.
type Ring = ManuallyDrop<RingBuffer>;

struct End {
    out: Ring,
    input: Ring,
    outbox: Vec<u64>,
}

struct Rings {
    rings: [(*mut RingHeader, *mut Slot); 2], // there, back
    slots: usize,
    bytes: usize,
}

/// Zeroes are a ring with nothing in it, but for its capacity.
fn memory(slots: usize) -> (*mut RingHeader, *mut Slot) {
    unsafe {
        let header = bench_shared_memory(size_of::<RingHeader>() as u64) as *mut RingHeader;
        (*header).capacity = slots as u64;
        (header, bench_shared_memory((slots * size_of::<Slot>()) as u64) as *mut Slot)
    }
}

pub fn open(slots: usize, bytes: usize) -> *mut Handle {
    if bytes > MAX_SLOT_SIZE {
        return std::ptr::null_mut();
    }
    let rings = [memory(slots), memory(slots)];
    handle(Some(Channels::new(Rings { rings, slots, bytes }, bytes)))
}

impl Channel for End {
    /// A full ring may also say that the slot's state is invalid: its reader moves on before it is.
    #[inline(always)]
    fn put(&mut self, bytes: usize, value: u64) {
        let outbox = self.outbox.as_mut_ptr() as *mut u8;
        let payload = unsafe {
            fill(outbox, bytes, value);
            std::slice::from_raw_parts(outbox, bytes)
        };
        while self.out.write_slot(Priority::Normal, payload).is_err() {
            std::hint::spin_loop();
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: usize) -> u64 {
        loop {
            if let Some((_, payload)) = self.input.read_slot() {
                return sum(&payload, bytes);
            }
            std::hint::spin_loop();
        }
    }
}

impl Maker for Rings {
    type End = End;

    fn attach(&mut self, side: u32) -> Option<End> {
        let ring = |i: usize| unsafe {
            let (header, slots) = self.rings[i];
            ManuallyDrop::new(RingBuffer::from_ptr(header, slots, self.slots))
        };
        let (out, input) = if side == 0 { (0, 1) } else { (1, 0) };
        Some(End { out: ring(out), input: ring(input), outbox: vec![0; self.bytes / 8] })
    }

    fn detach(&mut self, _side: u32, _end: Option<End>) {}
}
