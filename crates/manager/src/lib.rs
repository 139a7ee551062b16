//! What runs around a lease: servers, caches and controllers, of which some may work on the leader
//! alone.
//!
//! ```
//! use leasehold_core::{Leading, LeaseName, MemoryStore, create_free};
//! use leasehold_manager::{Func, Manager, Scope};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let lock = MemoryStore::new().lock(LeaseName::new("jobs")?);
//! # create_free(&lock).await?;
//! let manager = Manager::builder("pod-a").with_lease("jobs", lock).build()?;
//! let shutdown = CancellationToken::new(); // or `stop_signals()?`, for SIGTERM and Ctrl-C
//!
//! // Runs on every copy.
//! manager.add(Func::everywhere("metrics", |scope: Scope| async move {
//!     scope.stopping().await;
//!     Ok(())
//! }))?;
//!
//! // A closure that is given the leadership runs on the leader alone.
//! let done = shutdown.clone();
//! manager.add(move |lead: Leading| {
//!     let done = done.clone();
//!     async move {
//!         println!("leading: every write carries token {}", lead.token());
//!         done.cancel();
//!         Ok(())
//!     }
//! })?;
//!
//! manager.start(shutdown).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # In which order
//!
//! | group | who is in it | the next one starts |
//! |---|---|---|
//! | [`Servers`](Group::Servers) | answer for the process: health, metrics | once all of a group have begun and are [`synced`](Runnable::synced) |
//! | [`Webhooks`](Group::Webhooks) | answer others, who wait for it | |
//! | [`Caches`](Group::Caches) | hold what others read | |
//! | [`Others`](Group::Others) | whatever else runs on every copy | |
//! | warm-up | [`Runnable::warm_up`] of those that need leader election, on standbys too | |
//! | leader-only | those that need leader election, while the process leads | |
//!
//! A lease is stood for once the runnables that need it are warm: a cold copy would hold the lease
//! and do nothing with it. The stop goes the other way round, and first of all the leader's work ends
//! and its leases are given back.
//!
//! # What happens to whom
//!
//! | a runnable | leader-only | on every copy |
//! |---|---|---|
//! | returns `Ok` | has done what there is to do in this term; the next starts it anew | is done |
//! | returns an error, or panics | the manager stops, cleanly, and [names it](Error) | the same |
//! | returns an error after it was asked to stop | it is logged: a write that is refused is how a term may end | it is logged |
//! | fails in `warm_up` | the manager stops before it stands for the lease of it | (has none) |
//! | ignores that it is asked to stop | is dropped at the end of the term's validity, or, where the lease is given up, of the drain time; the lease is given back after that | is dropped at the end of the graceful stop, which is then an [error](Error::Late) |
//! | blocks its thread | nobody can drop it: if it is at it beyond its term, the process is **aborted**, because the alternative is two leaders | the graceful stop goes on without it; the runtime's own end may wait for it |
//!
//! In none of these does anybody work beside a successor.
//!
//! # After a loss
//!
//! The leader-only runnables have stopped, everything else goes on, the process stands for the lease
//! again, and the next term starts the same runnables anew: [`Runnable::start`] takes `&self`.
//! [`OnLoss::Exit`] is for those who would rather have the process end.
//!
//! # Several leases
//!
//! `certs` may be led here and `backups` there: [`Builder::with_lease`] more than once, and
//! [`Manager::add_to`]. What keeps one process from leading all of them is said at
//! [`Builder::with_lease`] and [`Builder::with_standby_lease`].

mod builder;
mod elected;
mod election;
mod entry;
mod error;
mod func;
mod group;
mod manager;
mod periodic;
mod run;
mod runnable;
mod running;
mod scope;
mod signals;
mod spread;
mod standby;

pub use builder::{Builder, OnLoss};
pub use elected::Elected;
pub use error::{BoxError, Error};
pub use func::Func;
pub use group::Group;
pub use manager::Manager;
pub use periodic::Periodic;
pub use runnable::Runnable;
pub use scope::{NotLeading, Scope};
pub use signals::stop_signals;
