//! The backend over real Redis servers.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod bad_input;
mod certificates;
mod cluster;
mod config;
mod conformance;
mod connection;
mod watch;
