//! Clocks, and the thread that ends terms by them.

pub(crate) mod clock;
pub(crate) mod moment;
