//! The parts of the testkit, and the real servers that it starts.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod chaos;
mod checker;
#[cfg(feature = "etcd")]
mod etcd_servers;
#[cfg(feature = "kubernetes")]
mod kubernetes_servers;
mod proxy;
#[cfg(feature = "redis")]
mod redis_servers;
#[cfg(any(feature = "etcd", feature = "redis"))]
mod servers;
mod sinners;
