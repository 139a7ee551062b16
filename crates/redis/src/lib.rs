//! Leader election over Redis or Valkey.

mod config;

pub use config::{RedisConfig, Tls};
