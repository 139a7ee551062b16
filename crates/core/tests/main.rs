//! The elector over an in-memory store: its campaigns, its terms, its clocks, and a store that fails.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod campaign;
mod clocks;
mod common;
mod conformance;
mod events;
mod other_writers;
mod preferred;
mod store_trouble;
mod values;
mod work;
