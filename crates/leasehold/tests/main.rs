//! The crate as its users have it.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod connect;
mod custom_backend;
