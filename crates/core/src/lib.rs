//! Leader election over any store that can replace a record only if it is still the one that was
//! read.
//!
//! Users depend on the crate `leasehold`, which adds the stores; who writes a backend depends on
//! this one, and on `leasehold-testkit` to test it.
//!
//! | to do this | begin here |
//! |---|---|
//! | elect a leader | [`Elector`]: [`run`](Elector::run) a closure, or [`campaign`](Elector::campaign) for a guard |
//! | do the leader's work | [`Leading`], and [`Leadership`], the guard |
//! | keep a ghost from writing | [`FencingToken`] and [`Fence`] |
//! | choose durations | [`Timing`] |
//! | write a backend | [`LeaseLock`], [`Observation`], [`Record`], [`Swap`], and [`wire`] for stores of bytes |
//! | see why it is safe | [`kernel`]: the algorithm, without input or output |
//!
//! # How an election goes
//!
//! A candidate that sees a *free* record replaces it by one that names itself, and leads once the
//! store has confirmed it. It renews that record; a standby takes it over once it has seen it
//! unchanged for the **record's** whole duration. The holder believes in its term for less than
//! that, by the drift of both clocks, and counts **from before it sent** the renewal. So the holder
//! stops first, whatever the network did to the answer.
//!
//! That nothing is written proves nothing: it may have been deleted under a living leader. Such a
//! lease is marked vacant and waited out, too. [`create_free`] spares a first roll-out the wait.

pub mod kernel;

mod contract;
mod create_free;
mod driver;
mod elector;
mod fence;
mod leadership;
mod leading;
mod memory;
mod name;
mod status;
mod status_watch;
mod time;
mod timing;

pub use contract::{
    error::{Error, ErrorKind},
    guarantees::Guarantees,
    lock::LeaseLock,
    observation::{Era, Observation, Swap, Version},
    record::{FencingToken, RandomPart, Record, Stamp, Tenure},
    wire,
};
pub use create_free::create_free;
pub use elector::Elector;
pub use fence::{Fence, Stale};
pub use kernel::event::End;
pub use leadership::Leadership;
pub use leading::Leading;
pub use memory::{MemoryLock, MemoryStore};
pub use name::{Candidate, LeaseName};
pub use status::Status;
pub use status_watch::StatusWatch;
pub use time::{
    clock::{Clock, HostClock},
    moment::Moment,
};
pub use timing::{IncoherentTiming, Timing};
