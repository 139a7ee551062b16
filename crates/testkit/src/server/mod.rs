//! What real servers for tests have in common, whatever their program is.
//!
//! * `program`: a program, and how it is found; `way`: where one of them comes from, on this machine;
//! * `recipe`: how a server of it is configured and started, and how it tells that it is ready;
//! * `own`: a server that was started here, in a `directory`, on `port`s of its own; it is `running`
//!   as a `process` or in a `container`;
//! * `tool`, `metrics`, `tls`, `url`, `wait`: what those who write about a program need.

#[cfg(feature = "containers")]
mod container;
mod directory;
mod error;
mod log;
#[cfg(feature = "etcd")]
pub(crate) mod metrics;
mod own;
mod port;
mod process;
mod program;
mod recipe;
mod running;
pub(crate) mod tls;
#[cfg(feature = "etcd")]
mod tool;
pub(crate) mod url;
pub(crate) mod wait;
mod way;

#[cfg(feature = "kubernetes")]
pub(crate) use directory::Directory;
pub use error::ServerError;
pub(crate) use own::Own;
#[cfg(feature = "etcd")]
pub(crate) use own::is_taken;
pub(crate) use port::Port;
pub(crate) use program::{Program, Version};
pub(crate) use recipe::{Launch, Place, Recipe};
#[cfg(feature = "etcd")]
pub use tool::ToolError;
#[cfg(feature = "etcd")]
pub(crate) use tool::{Tool, outcome};
pub(crate) use way::{Found, Way};
