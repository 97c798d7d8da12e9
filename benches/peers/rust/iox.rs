// SPDX-License-Identifier: Apache-2.0
//! The crate `iceoryx2`: publish and subscribe of slices, loaned, written and read in place; nothing
//! is overwritten that was not read. Its events would sleep: the subscriber asks again and again.

use std::time::{Duration, Instant};

use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::port::update_connections::UpdateConnections;
use iceoryx2::port::{DegradationAction, DegradationCause, DegradationInfo};
use iceoryx2::prelude::*;

const PATIENCE: Duration = Duration::from_secs(10);

use crate::channel::{fill, sum, Channel, Channels, Maker};
use crate::{handle, Handle};

struct End {
    out: Publisher<ipc::Service, [u8], ()>,
    input: Subscriber<ipc::Service, [u8], ()>,
    _node: Node<ipc::Service>, // last: the ports go before it
}

/// Nothing is made before the processes part but the names, and where the crate keeps its files:
/// some of them it leaves behind.
struct Services {
    run: u32,
    names: [String; 2], // there, back
    slots: usize,
    bytes: usize,
}

pub fn open(slots: usize, bytes: usize) -> *mut Handle {
    let id = std::process::id();
    let names = ["there", "back"].map(|way| format!("lamina/bench/{id}/{bytes}/{way}"));
    handle(Some(Channels::new(Services { run: id, names, slots, bytes }, bytes)))
}

fn prefix(run: u32) -> String {
    format!("lamina-bench-iox-{run}-")
}

/// Removes what the processes of `run` left.
pub fn clean(run: u32) {
    let prefix = prefix(run);
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    let _ = std::fs::remove_dir_all(format!("/tmp/{prefix}"));
}

impl Channel for End {
    #[inline(always)]
    fn put(&mut self, bytes: usize, value: u64) {
        // A publisher whose subscriber has not opened its end of the connection yet, and whose
        // queue is full, drops the sample, says that nobody got it, and calls that no error.
        while self.try_put(bytes, value) == 0 {
            std::hint::spin_loop();
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: usize) -> u64 {
        loop {
            if let Some(sample) = self.input.receive().expect("a subscriber") {
                return sum(sample.payload(), bytes);
            }
            std::hint::spin_loop();
        }
    }
}

impl End {
    /// How many subscribers got it.
    #[inline(always)]
    fn try_put(&self, bytes: usize, value: u64) -> usize {
        let mut sample = self.out.loan_slice_uninit(bytes).expect("a loan");
        unsafe {
            fill(sample.payload_mut().as_mut_ptr() as *mut u8, bytes, value);
            sample.assume_init().send().expect("a send")
        }
    }
}

/// A connection that could not be made is not tried again, and only logged: better no bench.
fn failed(_: DegradationCause, _: &DegradationInfo) -> DegradationAction {
    panic!("bench: iceoryx2: a connection could not be made, or broke")
}

impl Services {
    fn join(&self, side: u32) -> Result<End, Box<dyn std::error::Error>> {
        set_log_level(LogLevel::Fatal);
        let prefix = prefix(self.run);
        let mut config = Config::default();
        config.global.prefix = FileName::new(prefix.as_bytes())?;
        config.global.creation_timeout = PATIENCE;
        config.global.set_root_path(&Path::new(format!("/tmp/{prefix}").as_bytes())?);
        let node = NodeBuilder::new()
            .config(&config)
            .signal_handling_mode(SignalHandlingMode::Disabled)
            .create::<ipc::Service>()?;
        let service = |way: usize| {
            node.service_builder(&self.names[way].as_str().try_into()?)
                .publish_subscribe::<[u8]>()
                .payload_alignment(Alignment::new(64).ok_or("an alignment")?)
                .enable_safe_overflow(false)
                .history_size(0)
                .subscriber_max_buffer_size(self.slots)
                .max_publishers(1)
                .max_subscribers(1)
                .open_or_create()
                .map_err(Box::<dyn std::error::Error>::from)
        };
        let both = [service(0)?, service(1)?];
        let (out, input) = if side == 0 { (0, 1) } else { (1, 0) };
        let input = both[input].subscriber_builder().set_degradation_handler(failed).create()?;
        let out = both[out]
            .publisher_builder()
            .initial_max_slice_len(self.bytes)
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .set_degradation_handler(failed)
            .create()?;
        // Both ways have both ends: connected here, and not in the first window.
        let end = Instant::now() + PATIENCE;
        let is_there = |way: usize| {
            let ends = both[way].dynamic_config();
            ends.number_of_publishers() == 1 && ends.number_of_subscribers() == 1
        };
        while !(is_there(0) && is_there(1)) {
            if Instant::now() > end {
                return Err("the other side did not come".into());
            }
            std::thread::yield_now();
        }
        input.update_connections()?;
        out.update_connections()?;
        Ok(End { out, input, _node: node })
    }
}

impl Maker for Services {
    type End = End;

    fn attach(&mut self, side: u32) -> Option<End> {
        self.join(side).map_err(|error| eprintln!("bench: iceoryx2: {error}")).ok()
    }

    fn detach(&mut self, _side: u32, end: Option<End>) {
        drop(end);
    }
}
