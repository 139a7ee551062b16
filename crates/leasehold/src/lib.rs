//! Leader election for services that run in more than one copy, over the store they already have.
//!
//! ```
//! use leasehold::{Candidate, Elector, Error};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let lock = leasehold::connect("memory:jobs").await?;
//! # leasehold::create_free(&lock).await?;
//! let elector = Elector::new(lock, Candidate::new("pod-a")?);
//!
//! // The closure runs while, and only while, this process leads.
//! elector
//!     .run(CancellationToken::new(), |lead| async move {
//!         println!("leading with token {}", lead.token());
//!         Ok::<_, Error>(())
//!     })
//!     .await
//! # }
//! ```
//!
//! # Features
//!
//! None is on by default: a service pays for the store that it uses, and for no other.
//!
//! | feature | URL of [`connect`] | backend |
//! |---|---|---|
//! | (always) | `memory:NAME` | within one process |
//! | `file` | `file:///absolute/dir/NAME` | the processes of one host, over a directory |
//! | `etcd` | `etcd://[user:password@]host:port[,host:port…]/NAME`, and `etcds` | etcd |
//! | `kubernetes` | `kubernetes://[NAMESPACE]/NAME[?mixed_fleet=true]` | a Kubernetes Lease |
//! | `kubernetes-unversioned` | the same | the same, where the program chooses the version of the API by a feature of its own `k8s-openapi` |
//! | `redis` | `redis://[user:password@]host[:port][/db]#NAME`, and `rediss`, `redis+unix`, `redis+sentinel`, `redis+cluster` | Redis or Valkey: one server, sentinels, a cluster |
//!
//! One more is no store: `manager` brings the module of this name, for programs that have more to run than
//! the leader's work: servers, caches, and what only the leader may run.
//!
//! Everything else is documented where it is defined: the contract at [`LeaseLock`], the election
//! at [`Elector`], what work is given at [`Leading`], the durations at [`Timing`], the resource's
//! side of fencing at [`Fence`].

mod connect;

pub use connect::connect;
pub use leasehold_core::*;

/// The processes of one host, over a directory.
#[cfg(feature = "file")]
pub mod file {
    pub use leasehold_file::*;
}

/// etcd.
#[cfg(feature = "etcd")]
pub mod etcd {
    pub use leasehold_etcd::*;
}

/// A Kubernetes Lease.
#[cfg(feature = "kubernetes-unversioned")]
pub mod kubernetes {
    pub use leasehold_kubernetes::*;
}

/// What runs around a lease.
#[cfg(feature = "manager")]
pub mod manager {
    pub use leasehold_manager::*;
}

/// Redis or Valkey.
#[cfg(feature = "redis")]
pub mod redis {
    pub use leasehold_redis::*;
}
