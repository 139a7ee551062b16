//! Carries out what the kernel decides: the only task of an elector, with the only `select!` loop.
//!
//! It is never late because the user's work is slow: it does no user work.

mod calls;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod driver;
mod outcome;
mod pushes;

pub(crate) use driver::{Campaign, Command, Driver, Setup};
