//! Leader election over etcd.

mod advice;
mod client;
mod config;
mod connection;
mod error;
mod host;
mod hub;
mod listener;
mod lock;
mod rotation;
mod stream;
mod trouble;
mod txn;
mod version;
mod watch;

pub use client::Etcd;
pub use config::{EtcdConfig, Tls};
pub use etcd_client;
pub use lock::EtcdLock;
