// SPDX-License-Identifier: Apache-2.0
//! The crate `disruptor`: a single producer, and an event poller as the one consumer. It is made for
//! threads of one process; here its memory is shared, so that it runs between the same two processes
//! as all others.

use crate::{arena, Ends, Event, Pair, SLOTS};
use disruptor::*;

type Out<E> = SingleProducer<E, SingleConsumerBarrier>;
type In<E> = EventPoller<E, SingleProducerBarrier>;

struct Side<E: Event> {
    out: Out<E>,
    input: In<E>,
}

/// Neither is dropped: a producer that goes waits for its readers, and both processes have both.
struct Rings<E: Event> {
    sides: [std::mem::ManuallyDrop<Side<E>>; 2],
    mine: usize,
}

fn ring<E: Event>() -> (Out<E>, In<E>) {
    arena::lend(|| {
        let builder = build_single_producer(SLOTS, E::default, BusySpin);
        let (poller, builder) = builder.new_event_poller();
        (builder.build(), poller)
    })
}

pub fn open<E: Event>() -> Option<impl Pair> {
    let (there, from_there) = ring::<E>();
    let (back, from_back) = ring::<E>();
    let asker = Side { out: there, input: from_back };
    let answerer = Side { out: back, input: from_there };
    Some(Rings {
        sides: [std::mem::ManuallyDrop::new(asker), std::mem::ManuallyDrop::new(answerer)],
        mine: 0,
    })
}

impl<E: Event> Ends for Side<E> {
    #[inline(always)]
    fn try_put(&mut self, value: u64) -> bool {
        self.out.try_publish(|event| event.fill(value)).is_ok()
    }

    #[inline(always)]
    fn try_put_batch(&mut self, batch: usize, value: u64) -> bool {
        let published = self.out.try_batch_publish(batch, |events| {
            for (i, event) in events.enumerate() {
                event.fill(value.wrapping_add(i as u64));
            }
        });
        published.is_ok()
    }

    #[inline(always)]
    fn try_take(&mut self, sum: &mut u64) -> u64 {
        take_up_to(&mut self.input, 1, sum)
    }

    #[inline(always)]
    fn try_take_all(&mut self, sum: &mut u64) -> u64 {
        take_up_to(&mut self.input, u64::MAX, sum)
    }
}

#[inline(always)]
fn take_up_to<E: Event>(input: &mut In<E>, limit: u64, sum: &mut u64) -> u64 {
    match input.take(limit) {
        Ok(mut events) => {
            let mut count = 0;
            for event in &mut events {
                *sum = sum.wrapping_add(event.sum());
                count += 1;
            }
            count
        }
        Err(_) => 0,
    }
}

impl<E: Event> Pair for Rings<E> {
    fn attach(&mut self, side: u32) -> bool {
        self.mine = side as usize;
        side < 2
    }

    fn detach(&mut self, _side: u32) {}

    fn ask(&mut self, count: u64, value: u64) -> u64 {
        crate::ask(&mut *self.sides[self.mine], count, value)
    }

    fn answer(&mut self, count: u64) -> u64 {
        crate::answer(&mut *self.sides[self.mine], count)
    }

    fn send(&mut self, batch: usize, count: u64, value: u64) {
        crate::send(&mut *self.sides[self.mine], batch, count, value)
    }

    fn receive(&mut self, batch: usize, count: u64) -> u64 {
        crate::receive(&mut *self.sides[self.mine], batch, count)
    }
}
