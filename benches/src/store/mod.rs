//! The stores that can be measured: what is known of each, and how one is started for a run.

#[cfg(feature = "etcd")]
mod etcd;
mod file;
mod given;
mod kind;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod link;
#[cfg(feature = "redis")]
mod redis;
mod secret;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod store;

#[cfg(feature = "etcd")]
pub use etcd::Etcd;
pub(crate) use kind::Kind;
pub(crate) use link::{Link, Proxies};
pub(crate) use secret::without_secret;
pub(crate) use store::Store;
