// SPDX-License-Identifier: Apache-2.0
//! The framed transport of the crate `myelon`: busy spin, messages read leased. Its frames are a
//! constant of the type: 64 KiB, as its own benches have them, or of the payload's size, which it
//! recommends where sizes are known. The payload is made in a buffer, which `publish()` copies.

use std::time::Duration;

use myelon::transport::{
    AlignedFixedFrame, FramedTransportConsumer, FramedTransportFrame, FramedTransportProducer,
    ReassemblyBuffer,
};
use myelon::MyelonWaitStrategy;

use crate::channel::{fill, sum, Channel, Channels, Maker};
use crate::{handle, Handle};

pub type Frame64K = AlignedFixedFrame<65520>;

/// What the crate has as the depth of a ring of responses.
pub const FRAMES_OF_64K: usize = 256;

struct End<F: FramedTransportFrame> {
    out: FramedTransportProducer<F>,
    input: FramedTransportConsumer<F>,
    outbox: Vec<u64>, // aligned as a payload is
    inbox: ReassemblyBuffer,
}

struct Rings<F: FramedTransportFrame> {
    names: [String; 2], // there, back
    depth: usize,
    bytes: usize,
    writers: [Option<FramedTransportProducer<F>>; 2],
}

pub fn open<F: FramedTransportFrame>(depth: usize, bytes: usize) -> *mut Handle {
    let names = ["lmfthere", "lmfback"].map(disruptor_mp::portable_shm_segment_name);
    let writers = [0, 1].map(|i| FramedTransportProducer::<F>::create(&names[i], depth).ok());
    if writers.iter().any(Option::is_none) {
        return std::ptr::null_mut();
    }
    handle(Some(Channels::new(Rings { names, depth, bytes, writers }, bytes)))
}

impl<F: FramedTransportFrame> Channel for End<F> {
    #[inline(always)]
    fn put(&mut self, bytes: usize, value: u64) {
        let outbox = self.outbox.as_mut_ptr() as *mut u8;
        unsafe {
            fill(outbox, bytes, value);
            self.out.publish(std::slice::from_raw_parts(outbox, bytes), 0);
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: usize) -> u64 {
        self.input.recv_message_blocking_leased(&mut self.inbox, |_, payload| sum(payload, bytes))
    }
}

impl<F: FramedTransportFrame> Maker for Rings<F> {
    type End = End<F>;

    fn attach(&mut self, side: u32) -> Option<End<F>> {
        let (out, input) = if side == 0 { (0, 1) } else { (1, 0) };
        let wait = MyelonWaitStrategy::BusySpin;
        let reader = FramedTransportConsumer::<F>::attach(&self.names[input], self.depth, wait);
        let mut writer = self.writers[out].take()?;
        let input = reader.map_err(|error| eprintln!("bench: myelon: {error}")).ok()?;
        writer.discover_consumers(Duration::from_secs(10)).then(|| End {
            out: writer,
            input,
            outbox: vec![0; self.bytes / 8],
            inbox: ReassemblyBuffer::new(self.bytes),
        })
    }

    /// Side 0 made the rings; what the crate leaves behind has their names.
    fn detach(&mut self, side: u32, end: Option<End<F>>) {
        if side == 0 {
            drop(end);
            self.writers = [None, None];
            for name in &self.names {
                remove_named(name);
            }
        } else {
            std::mem::forget(end);
            self.writers.iter_mut().for_each(|writer| std::mem::forget(writer.take()));
        }
    }
}

fn remove_named(name: &str) {
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(name) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
