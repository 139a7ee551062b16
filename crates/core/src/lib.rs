//! Leader election over any store that can replace a record only if it is still the one that was
//! read: the contract of such a store, the algorithm, and an in-memory backend.

pub mod kernel;

mod contract;
mod driver;
mod elector;
mod fence;
mod leadership;
mod leading;
mod memory;
mod name;
mod prepare;
mod status;
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
pub use elector::Elector;
pub use fence::{Fence, Stale};
pub use kernel::End;
pub use leadership::Leadership;
pub use leading::Leading;
pub use memory::{MemoryLock, MemoryStore};
pub use name::{Candidate, LeaseName};
pub use prepare::create_free;
pub use status::Status;
pub use time::{
    clock::{Clock, HostClock},
    moment::Moment,
};
pub use timing::{IncoherentTiming, Timing};
