//! To be written.

mod alive;
mod cleaner;
mod config;
mod content;
mod error;
mod filesystem;
mod inotify;
mod listing;
mod lock;
mod names;
mod record;
mod store;
mod watch;

pub use config::FileConfig;
pub use lock::FileLock;
