//! The contract between the algorithm and a store, and the values that cross it.

pub(crate) mod error;
pub(crate) mod guarantees;
pub(crate) mod lock;
pub(crate) mod observation;
pub(crate) mod record;
pub mod wire;
