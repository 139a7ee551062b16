//! Leader election over etcd, version 3.5.6 or newer: one member or several, TLS, users.
//!
//! (Older ones of 3.5 work, but may lose in a crash what they have answered: a warning says so.
//! `--bump-revision`, see below, is there from 3.5.10 on.)
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), leasehold_core::Error> {
//! use leasehold_core::LeaseLock;
//! use leasehold_etcd::EtcdLock;
//!
//! // An error here may pass, as an etcd that is just starting does: try again, or end and be restarted.
//! let lock = EtcdLock::connect("etcd://app:s3cret@10.0.0.5,10.0.0.6,10.0.0.7/jobs").await?;
//! assert!(lock.observe().await?.record.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! The forms of a URL, for TLS too, are those of [`EtcdConfig::from_url`]. [`Etcd`] is for several
//! leases of one etcd: they share one connection and one watch. What a leader writes to the same
//! etcd can be refused **by etcd itself** once its term is over: see [`EtcdLock::current_term`].
//!
//! To build this crate, `protoc` is needed, which etcd-client compiles its messages with: Debian's
//! package is `protobuf-compiler`, Homebrew's `protobuf`; or the variable `PROTOC` names one.
//!
//! # How it works
//!
//! The lease `jobs` is one key, `leasehold/jobs`, whose value is the record. A transaction replaces
//! it if its modification revision and its value are still what was read. A leader costs one
//! request for each renewal.
//!
//! * **No etcd lease.** Those last two seconds at the least, end up to half a second late, and start
//!   anew whenever etcd gets another leader. Candidates count on their own clocks instead, from when
//!   they saw the record; so leases of less than a second work.
//! * **The version is the revision** of the last write, by which etcd counts all its writes. It goes
//!   on growing when the key is deleted.
//! * **The cluster's id is the era.** A transaction cannot compare it; but the answer says it, and
//!   whoever has written into another cluster than he expected does not lead there: he waits.
//! * **One watch** tells all leases of a process of each change, from the revision on that it was told
//!   last, also when it had to begin again elsewhere: of their common prefix; or of its key alone,
//!   where there is one lease. A standby costs no request of its own. A watch that was silent for as
//!   long as the shortest of its leases lasts is checked, by one linearizable read for all of them, and
//!   replaced if it was deaf. (A process with several leases is told of all under the prefix, also of
//!   those that it has no part in: give them one of their own where there are hundreds of others.)
//! * **One member at a time.** Requests go to the member that answered last. One that fails, is
//!   silent or has no leader is left for the next one; a write is sent again only where etcd has
//!   refused to look at it.
//! * **Logins end**: with their lifetime, when a member restarts, and whenever somebody changes users
//!   or roles. The next request logs in again, and is sent again, for etcd refused it.
//!
//! # When etcd loses its memory
//!
//! What etcd has answered is on the disks of a majority: a crash, a restart and the loss of a
//! minority lose nothing. A **restore from a snapshot** does, and what can be known of it depends on
//! how it is done:
//!
//! | `etcdutl snapshot restore` | what candidates see | what they do |
//! |---|---|---|
//! | with another `--initial-cluster-token` | another era | all wait a whole lease duration; a leader that lives keeps its term |
//! | without | the same era, and an older version | who saw a newer one waits a whole lease duration |
//! | without, and with `--bump-revision` | the same era, an older term, and perhaps a greater version | who saw a later term waits a whole lease duration; a leader that lives stops |
//!
//! Whoever lived before gives and accepts no token that is not above all that he saw. So **restore
//! with both**: another `--initial-cluster-token` makes everybody wait, and `--bump-revision
//! 1000000000 --mark-compacted` makes the tokens grow for newcomers, too. **Not covered:**
//!
//! * *Without both, what a newcomer cannot know.* A candidate that is started after the restore, while
//!   none lives that was there before, gives out tokens again that were given out since the snapshot. A
//!   [`Fence`](leasehold_core::Fence) that remembers them refuses its writes, until they have grown
//!   above.
//! * *Without another cluster, a lease that is free in the snapshot.* A newcomer takes it at once, while a
//!   leader that was chosen since still believes in its term, until its next renewal. Stop all
//!   candidates before; or delete the leases, with `etcdctl del --prefix leasehold/`, before any
//!   candidate reaches the restored etcd: a lease that is not there is waited for.
//! * *Without another cluster, a write that is under way* while etcd is restored to the very record
//!   that it expects.
//! * *Two clusters at once*: one member that is restored alone, or started with `--force-new-cluster`,
//!   while the others live on; or etcds listed together that are no cluster. Each gives the lease to
//!   somebody. Who has a good connection to a member of one cluster refuses those of another; but who
//!   reaches one only cannot know, and `--force-new-cluster` keeps the cluster's id. Stop the others
//!   first.
//!
//! # What it asks for
//!
//! A user needs to read and write what is under the prefix, and nothing else:
//!
//! ```text
//! etcdctl role add candidate
//! etcdctl role grant-permission candidate --prefix=true readwrite leasehold/
//! etcdctl user add app
//! etcdctl user grant-role app candidate
//! ```
//!
//! With a lease's key alone it works too; but nothing is pushed to a process that has several leases,
//! for its watch is on their prefix.
//!
//! * **History.** etcd keeps every renewal, some 160 bytes of it, until it is compacted: a lease that
//!   is renewed every two seconds makes 7 MB a day. Start etcd with `--auto-compaction-mode=periodic
//!   --auto-compaction-retention=1h` (Kubernetes' own is compacted by its API servers). A full etcd
//!   (`NOSPACE`) refuses renewals, and leadership ends.
//! * **Time.** While etcd chooses a leader of its own, which takes a second to a second and a half when
//!   the old one died, it writes nothing: a lease of one second is lost then, and one of five is not.
//!   Where etcd's leader hands over (an upgrade, `move-leader`), it is some 30 ms, and no lease is lost.
//! * **All members** in the URL, or as many as can be named.

mod advice;
mod client;
mod config;
mod connection;
mod error;
mod hub;
mod listener;
mod lock;
mod rotation;
mod stream;
mod trouble;
mod txn;
mod version;
mod watch;

pub use client::Etcd;
pub use config::{EtcdConfig, Tls};
/// The client library, for transactions that compare [`EtcdLock::current_term`].
pub use etcd_client;
pub use lock::EtcdLock;
