//! Faults between an elector and its store, by a seeded plan.

pub(crate) mod config;
pub(crate) mod lock;
mod plan;
mod watch;
