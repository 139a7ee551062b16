//! For those who write a backend of Leasehold, and for those who doubt one.
//!
//! * [`conformance!`]: one named test for each sentence of the contract that a backend must keep;
//! * [`ChaosLock`]: a lock whose every request may be lost, late, repeated or half done;
//! * [`History`]: what candidates did, and the [`Violation`]s that are found in it;
//! * [`Proxy`]: a TCP link that is cut, slow, half dead, or torn off in the middle of a request;
//! * `redis`, `etcd` and `kubernetes` (features of these names): real servers, that are frozen, killed
//!   and started again;
//! * [`SimClock`]: clocks that run at a rate of their own, on simulated time.

// The fixture of the README is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub mod conformance;
#[cfg(feature = "etcd")]
pub mod etcd;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(feature = "redis")]
pub mod redis;

mod chaos;
mod dice;
mod history;
mod proxy;
#[cfg(any(feature = "redis", feature = "etcd"))]
mod server;
mod sim;
mod stranger;

pub use chaos::{config::ChaosConfig, lock::ChaosLock};
pub use dice::Dice;
pub use history::{
    event::{Event, What},
    record::History,
    violation::Violation,
};
pub use proxy::{Direction, Proxy};
pub use sim::{clock::SimClock, turns::Turns};
pub use stranger::{Stranger, Then};
