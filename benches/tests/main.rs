//! The bench measures what it says, and keeps what it has measured.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod contender;
mod harness;
mod interrupted;
mod partition;
#[cfg(feature = "browser")]
mod report;
