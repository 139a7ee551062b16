//! Faults of a real Redis, and of the way to it.

mod clock;
mod memory;
mod partition;
mod requests;
mod trouble;
