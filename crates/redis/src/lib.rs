//! Leader election over Redis or Valkey, version 7 or newer: one server, Sentinel, or Cluster.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), leasehold_core::Error> {
//! use leasehold_core::LeaseLock;
//! use leasehold_redis::RedisLock;
//!
//! // Fails while the server is away, too: try again, or end and be restarted.
//! let lock = RedisLock::connect("redis://app:s3cret@10.0.0.5#jobs").await?;
//! assert!(lock.observe().await?.record.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! [`RedisLock::connect`] asks the server once, so that whatever is wrong is known at the start; hence it
//! fails while the server is away. Once a candidate campaigns, a server that is away is a status and
//! ends nothing. A password that is changed at the server stops nobody at once: who is connected stays
//! so until the connection ends. Then it is refused, a leader's term ends in good time, for it cannot be
//! renewed, and the candidate says that it knows nothing, until the process is restarted with the new
//! one. (A user of ACL may have two passwords for the time that a roll-out takes.) A user who is
//! deleted, or loses a permission, is refused at once.
//!
//! The forms of a URL, for TLS, sentinels and clusters too, are those of [`RedisConfig::from_url`].
//! [`Redis`] is for several leases of one Redis. Do not call `create_free` each time a service starts:
//! after a `FLUSHALL` it would free the lease of a leader that lives.
//!
//! # How it works
//!
//! The lease `jobs` is one hash under the key `leasehold:jobs`, with the fields `version` and
//! `record`. A Lua script replaces it if it is still exactly what was read: the server runs a script
//! whole, with nothing in between. The same script publishes the record on the channel
//! `leasehold:jobs@DB`, so that standbys know of a release at once; a leader costs one request for
//! each renewal, a standby none.
//!
//! * **On a cluster each write is told to every server**, over the cluster's bus: one message to each
//!   other one, which `CLUSTER INFO` counts (`cluster_stats_messages_publish_sent`). With thousands of
//!   leases, short retry intervals or dozens of servers, give the leases a server of their own.
//!   `SPUBLISH` would tell it to none but those that have the slot. It is not used: it needs
//!   other permissions, and a channel of another name, which is in the lease's slot; and the server ends
//!   its subscriptions when the slot moves.
//! * **Nothing expires.** A key with a time to live is judged by the server's wall clock, and is what
//!   `volatile-*` policies evict first. Candidates count on their own clocks instead, from when they
//!   saw the record.
//! * **The version is the server's time** in microseconds, or one more than the last where that is
//!   greater: so it goes on growing when the record is lost. It is used for nothing else; a clock that
//!   is stepped moves no lease.
//! * **The replication id is the era.** The server makes a new one when it is promoted and when it
//!   restarts, which is when its memory may be an older one. Every wait then starts anew. (It also does
//!   when a first replica attaches, and an hour after the last one left: that costs a wait, no term.)
//! * **Only a master is believed.** A replica may lag; what it says is an error.
//!
//! # When the server loses its memory
//!
//! Redis answers before a write is on a disk or on a replica, and may forget it
//! ([replication](https://redis.io/docs/latest/operate/oss_and_stack/management/replication/),
//! [persistence](https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/)). Covered,
//! each with a test on real servers:
//!
//! | what happens | what candidates see | what they do |
//! |---|---|---|
//! | a restart, with an older record or none | another era | wait a whole lease duration; a leader that lives keeps its term |
//! | the promotion of a replica that lagged | another era | the same |
//! | `FLUSHALL`, `DEL`, eviction under `allkeys-*` | nothing where a record was | the leader stops; the others write a vacant record, and wait a whole lease duration |
//! | a step of the server's clock | nothing | nothing |
//! | somebody writes a version just below 2^52 into the hash | a few writes more, and from then on an error at each attempt to lead or to renew: no version is left | nobody leads until somebody does `redis-cli DEL leasehold:jobs`; then a wait of a whole lease duration |
//!
//! The token of the next term is above all that a living candidate has seen, and above the server's
//! time at the moment of the last write.
//!
//! **Not covered:**
//!
//! * *An old master that lives on.* Cut off from its replicas while it still reaches its leader, it
//!   goes on renewing that leader's lease, and the promoted one gives the lease to another: two
//!   leaders, until the old master is reached again. With `min-replicas-to-write 1` and
//!   `min-replicas-max-lag 1` a master that no replica acknowledges any more refuses writes soon after
//!   (replicas report once a second), and its leader's term ends by itself. Let whoever promotes (the
//!   sentinels' `down-after-milliseconds`, a cluster's `cluster-node-timeout`) take longer than that:
//!   then the promoted one's candidates, who wait a whole lease duration, come after it.
//!   A fence refuses the older leader's writes in any case, for its token is the smaller one.
//! * *A memory lost together with a clock stepped back*, seen by nobody who lives: a fresh candidate
//!   then cannot know of the greater tokens that there were.
//! * *A server that is made another one behind its replication id*: by `DEBUG`, or by copying the
//!   memory of a virtual machine.
//!
//! # What it asks for
//!
//! A user needs, at the least:
//!
//! ```text
//! ACL SETUSER app on >password ~leasehold:* &leasehold:* -@all +eval +evalsha +info +time +exists +hmget +hset +publish +subscribe +unsubscribe +hello +auth
//! ```
//!
//! `+info`, because the replication id is read inside the script; `+select` too for another database
//! than 0, and `+asking` on a cluster, for a slot that moves. An error names the command that is
//! missing. A server that evicts should be given an `allkeys-*` policy only if it may lose leadership
//! for a lease duration now and then: `noeviction`, and a server for what must not be lost, are better.
//!
//! On a cluster, name several servers: one of them has to be reached when the others are gone. Name
//! all sentinels: more than half of those that are named have to agree on the master, so that one that
//! is cut off with an old master sends nobody to it.

mod advice;
mod client;
mod config;
mod connection;
mod error;
mod locate;
mod lock;
mod scripts;
mod subscriptions;
mod trouble;
mod watch;

pub use client::Redis;
pub use config::{RedisConfig, Tls};
pub use lock::RedisLock;
