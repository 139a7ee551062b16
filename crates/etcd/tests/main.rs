//! The backend over real etcd servers.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod bad_input;
mod common;
mod config;
mod conformance;
mod fenced;
mod members;
mod memory;
mod storm;
mod token;
mod watching;
