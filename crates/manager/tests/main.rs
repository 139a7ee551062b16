//! The manager over an in-memory store.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod bad_input;
mod common;
mod groups;
mod leading;
mod misbehaving;
mod periodic;
mod spread;
