//! Leader election over Redis or Valkey.

mod client;
mod config;
mod connection;
mod error;
mod host;
mod locate;
mod lock;
mod scripts;
mod watch;

pub use client::Redis;
pub use config::{RedisConfig, Tls};
pub use lock::RedisLock;
