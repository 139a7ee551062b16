//! Carries out what the kernel decides: the only task of an elector, with the only `select!` loop.
//!
//! It is never late because the user's work is slow: it does no user work.

mod calls;
mod command;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod driver;
mod events;
mod publisher;
mod pushes;
mod terms;

pub(crate) use command::{Campaign, Command, Setup};
pub(crate) use driver::Driver;
