//! The report: one HTML page that needs nothing else, and beside it every number as CSV and JSON.

#[cfg(feature = "browser")]
mod browser;
mod chart;
mod headline;
mod page;
mod record;
mod scale;
mod timeline;

#[cfg(feature = "browser")]
pub use browser::{Browser, Page, View};
pub(crate) use page::{prepare, write};
