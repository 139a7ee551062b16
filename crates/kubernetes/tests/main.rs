//! The backend over a real apiserver, which all tests share unless one has to disturb it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod announce;
mod bad_input;
mod common;
mod conformance;
mod link;
mod other_writers;
mod own_server;
mod preferred;
mod rights;
