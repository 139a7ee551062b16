//! How fast leadership moves, and what it costs.
//!
//! The harness starts real processes, lets them campaign for a lease, injects a fault into the
//! leader and measures until the successor's work starts. It knows nothing of a contender but the
//! lines that it prints ([`Event`]), so that a program in any language can be measured by it.
//!
//! `README.md` beside this crate says what is asked, how it is measured, and what came out.

mod calendar;
mod command;
mod event;
mod fault;
mod floor;
mod goal;
mod group;
mod history;
mod lines;
mod machine;
mod options;
mod outcome;
mod plan;
mod process;
mod program;
mod progress;
mod quiet;
mod report;
mod restart;
mod round;
mod row;
mod run;
mod stage;
mod stats;
mod store;
mod table;
mod whole;

pub use command::command;
pub use event::{Event, Parsed};
pub use fault::Fault;
pub use goal::{Goal, Limit, Measure, Quantile, Verdict};
pub use history::{History, Overlap, Term};
pub use leasehold_bench_shape::{
    ContenderOptions, Durations, Order, Orders, Voice, hung_up, monotonic,
};
pub use machine::Machine;
pub use options::Options;
pub use outcome::{Measured, Outcome, Settings};
#[cfg(feature = "browser")]
pub use report::{Browser, Page, View};
pub use round::Round;
pub use row::{Lease, Row, Subject};
pub use run::{Surroundings, measure, present};
pub use stats::Distribution;
#[cfg(feature = "etcd")]
pub use store::Etcd;
