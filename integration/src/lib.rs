//! Real stores, real processes, real faults.
//!
//! The tests are named after the fault: `freeze`, `crash`, `blocked`. What they do it to is the
//! program `worker`, a process of its own; what it says is read by [`Worker`]. Faults of a network or
//! of a store are done to candidates of one process, an [`Election`].

mod contender;
mod election;
mod fenced_log;
mod fleet;
mod pair;
mod partition;
mod stores;
mod waiting;
mod worker;

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

pub use contender::Contender;
pub use election::{Act, Election};
pub use fenced_log::{Entry, FencedLog, LogClient};
pub use fleet::{Fleet, Line, Replica};
use leasehold::Timing;
pub use pair::Pair;
pub use partition::cut_off_leaders;
pub use stores::{Store, on_every_empty_store, on_every_store};
pub use waiting::{rounds, within};
pub use worker::{Said, Worker};

/// The durations of these tests: short, because most of them wait out a lease.
///
/// # Panics
/// Never: they are coherent.
pub fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(300), ms(200), ms(40)).expect("coherent")
}

/// CLOCK_MONOTONIC in nanoseconds: one clock for all processes of the host.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Has what is logged said on standard error, as the examples do: standard output is for what they do.
///
/// # Panics
/// The second time in a process.
pub fn log_to_stderr() {
    let ansi = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(ansi).init();
}

/// The code of the project's README runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
