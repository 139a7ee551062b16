//! A real etcd for tests, that can be frozen, killed and started again.
//!
//! ```no_run
//! # fn main() -> Result<(), leasehold_testkit::etcd::ServerError> {
//! use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};
//!
//! let server = EtcdServer::start()?;
//! println!("to be given to `leasehold::connect`: {}", server.url("jobs"));
//!
//! let secured = EtcdOptions::new().tls().auth().start()?;
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
//! 1. the address in `LEASEHOLD_ETCD_URL`, of the form `etcd://[user:password@]host:port`. It is
//!    somebody's server: who means to freeze, kill or configure it asks for one [of his
//!    own](EtcdOptions::own) and passes on to the next ways. Leases of earlier runs are still there;
//! 2. the program `etcd`, version 3.5 or newer, at the path in `LEASEHOLD_ETCD`, on the `PATH`, or
//!    where the project's set-up keeps what it has built, run on free ports of 127.0.0.1 in a
//!    temporary directory;
//! 3. with the feature `containers`, a container of the image in `LEASEHOLD_ETCD_IMAGE`, on the
//!    network of the host.
//!
//! `LEASEHOLD_SERVERS` narrows that to one of `address`, `binary`, `container`. Where there is none
//! of them, the [`ServerError`] says how to get one: no test is ever skipped.
//!
//! What an operator does is done by `etcdctl` and `etcdutl`, which come with `etcd`: they are looked
//! for beside it and in the same places; those of a container are in its image.
//!
//! # What is not as in production
//!
//! Nothing is synced to the disk, unless [`EtcdOptions::synced`] asks for it: that guards against a
//! loss of power, which no test here brings about; what was written outlives a kill all the same. It
//! makes each write faster by what the disk takes for a sync.
//!
//! # How it ends
//!
//! When it is dropped, or with the process that started it, also if that is killed. So a server may
//! live in a `static`, which Rust never drops.

mod cluster;
mod exchange;
mod member;
mod options;
mod restore;
mod server;
mod tools;
mod users;

pub use crate::server::{ServerError, ToolError};
pub use cluster::EtcdCluster;
pub use options::EtcdOptions;
pub use restore::Restore;
pub use server::EtcdServer;
