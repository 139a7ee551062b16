//! The report: one HTML page that needs nothing else.

mod curve;
mod page;
mod strip;

pub(crate) use page::write;
