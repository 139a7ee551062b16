//! A real Redis or Valkey for tests, that can be frozen, killed and started again.
//!
//! ```no_run
//! # fn main() -> Result<(), leasehold_testkit::redis::ServerError> {
//! use leasehold_testkit::redis::{RedisOptions, RedisServer};
//!
//! let server = RedisServer::start()?;
//! println!("to be given to `leasehold::connect`: {}", server.url("jobs"));
//!
//! let secured = RedisOptions::new().tls().acl().start()?;
//! secured.freeze();
//! secured.thaw();
//! # Ok(())
//! # }
//! ```
//!
//! # Where it comes from
//!
//! In this order:
//!
//! 1. the address in `LEASEHOLD_REDIS_URL`, of the form `redis://[user:password@]host:port[/db]`. It
//!    is somebody's server: who means to freeze, kill or configure it asks for one [of his
//!    own](RedisOptions::own) and passes on to the next ways. Leases of earlier runs are still there;
//! 2. the program `redis-server` or `valkey-server`, version 7 or newer, on the `PATH` or at the path
//!    in `LEASEHOLD_REDIS_SERVER`, run on a free port of 127.0.0.1 in a temporary directory;
//! 3. with the feature `containers`, a container of the image in `LEASEHOLD_REDIS_IMAGE` (unset:
//!    `redis:7`), on the network of the host.
//!
//! `LEASEHOLD_SERVERS` narrows that to one of `address`, `binary`, `container`. Where there is none
//! of them, the [`ServerError`] says how to get one: no test is ever skipped.
//!
//! # How it ends
//!
//! When it is dropped, or with the process that started it, also if that is killed: a process, a
//! shell that does nothing but wait for the end of a pipe, then kills the server and removes its
//! directory; a container, by itself, and Docker removes it (a test that is killed in the instant between
//! its creation and its start leaves it in the list of those that never ran: `docker container prune`).
//! So a server may live in a `static`, which Rust never drops:
//!
//! ```no_run
//! use std::sync::LazyLock;
//! use leasehold_testkit::redis::{RedisOptions, RedisServer};
//!
//! static SECURED: LazyLock<RedisServer> =
//!     LazyLock::new(|| RedisOptions::new().acl().start().unwrap_or_else(|error| panic!("{error}")));
//! // One with no options is there already:
//! let server = RedisServer::shared();
//! ```

mod cluster;
mod config;
mod credentials;
mod operator;
mod options;
mod recipe;
mod sentinels;
mod server;
mod url;

pub use ::redis::{RedisError, Value};
pub use cluster::RedisCluster;
pub use options::RedisOptions;
pub use sentinels::RedisSentinels;
pub use server::RedisServer;

pub use crate::server::ServerError;
