//! Clocks, the term that lives by them, and the thread that ends it.

pub(crate) mod clock;
pub(crate) mod moment;
pub(crate) mod term;
pub(crate) mod warden;
