// SPDX-License-Identifier: Apache-2.0
//! The crate `disruptor-mp`, which is also the raw ring of `myelon`: producers made before the
//! processes part, consumers attached in their own.

use crate::{Ends, Event, Pair, SLOTS};
use disruptor_mp::{
    attach_shared_consumer, build_shared_single_producer, portable_shm_segment_name,
    CoordinationMode, SharedConsumer, SharedProducer,
};

const READER: &str = "r_0";

struct Side<E: Event> {
    out: SharedProducer<E>,
    input: SharedConsumer<E>,
}

struct Rings<E: Event> {
    names: [String; 2], // there, back
    writers: [Option<SharedProducer<E>>; 2],
    mine: Option<Side<E>>,
}

fn writer<E: Event>(name: &str) -> Option<SharedProducer<E>> {
    build_shared_single_producer::<E>(name, SLOTS)
        .discover_consumer_with_prefix(1, "r")
        .with_coordination(CoordinationMode::Immediate)
        .build_producer(E::default)
        .map_err(|error| eprintln!("bench: disruptor-mp: {error}"))
        .ok()
}

pub fn open<E: Event>() -> Option<impl Pair> {
    let names = [portable_shm_segment_name("lmthere"), portable_shm_segment_name("lmback")];
    let writers = [Some(writer::<E>(&names[0])?), Some(writer::<E>(&names[1])?)];
    Some(Rings { names, writers, mine: None })
}

impl<E: Event> Ends for Side<E> {
    #[inline(always)]
    fn try_put(&mut self, value: u64) -> bool {
        self.out.try_publish(|event| event.fill(value)).is_ok()
    }

    #[inline(always)]
    fn try_put_batch(&mut self, batch: usize, value: u64) -> bool {
        let update = |event: &mut E, i: usize| event.fill(value.wrapping_add(i as u64));
        self.out.try_batch_publish(batch, update).is_ok()
    }

    #[inline(always)]
    fn try_take(&mut self, sum: &mut u64) -> u64 {
        match self.input.try_consume_next_leased() {
            Some(event) => {
                *sum = sum.wrapping_add(event.sum());
                1
            }
            None => 0,
        }
    }

    #[inline(always)]
    fn try_take_all(&mut self, sum: &mut u64) -> u64 {
        self.input.process_available(|event, _| *sum = sum.wrapping_add(event.sum())) as u64
    }
}

impl<E: Event> Pair for Rings<E> {
    fn attach(&mut self, side: u32) -> bool {
        let (out, input) = if side == 0 { (0, 1) } else { (1, 0) };
        let reader = attach_shared_consumer::<E>(&self.names[input], SLOTS)
            .with_consumer_id(READER)
            .build_consumer();
        match (self.writers[out].take(), reader) {
            (Some(out), Ok(input)) => {
                self.mine = Some(Side { out, input });
                true
            }
            (_, Err(error)) => {
                eprintln!("bench: disruptor-mp: {error}");
                false
            }
            _ => false,
        }
    }

    /// Side 0 made the rings, and removes what the crate leaves behind: the readers' cursors.
    fn detach(&mut self, side: u32) {
        if let Some(Side { out, input }) = self.mine.take() {
            drop(input);
            if side == 0 {
                drop(out);
            } else {
                std::mem::forget(out);
            }
        }
        for name in self.names.iter().filter(|_| side == 0) {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}_{READER}_seq"));
        }
        for writer in self.writers.iter_mut().filter_map(Option::take) {
            if side == 0 {
                drop(writer);
            } else {
                std::mem::forget(writer);
            }
        }
    }

    fn ask(&mut self, count: u64, value: u64) -> u64 {
        self.mine.as_mut().map_or(0, |ends| crate::ask(ends, count, value))
    }

    fn answer(&mut self, count: u64) -> u64 {
        self.mine.as_mut().map_or(0, |ends| crate::answer(ends, count))
    }

    fn send(&mut self, batch: usize, count: u64, value: u64) {
        if let Some(ends) = self.mine.as_mut() {
            crate::send(ends, batch, count, value)
        }
    }

    fn receive(&mut self, batch: usize, count: u64) -> u64 {
        self.mine.as_mut().map_or(0, |ends| crate::receive(ends, batch, count))
    }
}
