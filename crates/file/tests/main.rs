//! The backend over real directories, and real processes that are frozen and killed.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod boot;
mod common;
mod conformance;
mod contention;
mod crash;
mod filesystem;
mod frozen;
mod hostile;
