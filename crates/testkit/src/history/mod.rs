//! What candidates did, and what is wrong with it.

mod check;
pub(crate) mod event;
pub(crate) mod record;
mod terms;
pub(crate) mod violation;
