//! Leader election over a Kubernetes Lease (`coordination.k8s.io/v1`), beside client-go's candidates
//! if need be.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), leasehold_core::Error> {
//! use leasehold_core::LeaseLock;
//! use leasehold_kubernetes::KubernetesLock;
//!
//! // The Lease `jobs` in the namespace of this Pod.
//! let lock = KubernetesLock::connect("kubernetes:///jobs").await?;
//! assert!(lock.observe().await?.record.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! The forms of a URL are those of [`KubernetesConfig::from_url`]. [`Kubernetes`] is for several leases
//! of one namespace. For a first roll-out ship an empty Lease (`spec: {}`) with the deployment, or call
//! `create_free` once: what is not there is waited out. Do not let a tool *replace* it again and again:
//! an empty Lease without a word of ours is a free one to whoever has seen nothing else.
//!
//! # How it works
//!
//! Every write of a Lease that exists is a PUT that names its **uid and resourceVersion**: with the
//! version alone, a late renewal would create a deleted Lease again. What is missing is created by a
//! POST, and vacant. A leader costs one PUT for each renewal, a standby one open watch.
//!
//! * **The uid is the era, the resourceVersion the version.** It is the count of the cluster's etcd, so
//!   that it goes on growing when a Lease is deleted. A Lease that comes back from a backup has another
//!   uid: what it says, free or held, is waited out.
//! * **Nothing expires**, and no time in the Lease is compared with a clock: they are for people.
//! * **Everybody can read it**: `holderIdentity` is the candidate's name and its random part,
//!   `leaseDurationSeconds` the duration rounded up, `leaseTransitions` and the times as client-go has
//!   them. Labels, owners and other people's annotations stay as they are.
//! * **The rest is in one annotation**, `leasehold.dev/record`: the duration to the nanosecond, the
//!   stamp of the write and the token. It is believed only while `holderIdentity`, `acquireTime`,
//!   `leaseDurationSeconds` and `leaseTransitions` are those that were written together with it.
//! * **A token is never taken on the annotation's word.** A term's token is at most the version that it
//!   has replaced, so it is below the Lease's own: one that is not makes the annotation void. Who can
//!   write to the Lease can take the lease away, but neither wear out the tokens nor send a fence where
//!   nobody reaches it.
//!
//! # What an empty holder means
//!
//! | `holderIdentity` is empty, and | the lease is |
//! |---|---|
//! | the annotation says that this term was released | free |
//! | there is no annotation of ours | free: client-go's release, or an operator's. (A candidate that has seen a term of ours there waits it out: its token is gone, and its leader may live) |
//! | the annotation says that its term was released, and `leaseTransitions` is greater: others have held it since | free |
//! | anything else | vacant: somebody has blanked a leader of ours, who may live. It is waited out |
//!
//! (A client-go leader that is frozen past its lease and told to stop when it wakes blanks the Lease of
//! its living successor.)
//!
//! # Beside client-go
//!
//! Our candidates wait for a client-go holder the whole `leaseDurationSeconds` of its record; its own
//! wait for ours as for each other. (Where a leader of ours has died and client-go's took over, their
//! next release is waited out, too: who knows nothing of the annotation leaves the dead one's in its
//! place.) Set [`with_mixed_fleet`](KubernetesConfig::with_mixed_fleet) (or
//! `?mixed_fleet=true`) on all of ours: client-go sees a renewal only when its time differs by a whole
//! second, so that a healthy leader with closer renewals is robbed, and it trusts in clocks of one rate.
//! Timings that are unsafe so are then refused. What client-go candidates do to each other is not
//! covered, nor that they take a Lease that was deleted under a leader of ours: it stops when its watch
//! or its next renewal tells.
//!
//! # When another is preferred
//!
//! Where the cluster has coordinated leader election, `spec.preferredHolder` says who is to lead: a
//! candidate's name, or its whole `holderIdentity`. A leader of ours that is not meant steps down at
//! once, and our standbys that are not meant leave the free lease to it for a lease duration. It is
//! never set, and removed with the next term: then it is fulfilled, or whom it named was not there.
//! `strategy` is left as it is.
//!
//! # Who leads, for others
//!
//! [`with_labelled_pod`](KubernetesConfig::with_labelled_pod) (`?label_pod=true`) labels the Pod that leads
//! `leasehold.dev/leader=true`, for a Service to select it; the label goes before the lease is released.
//! [`with_events`](KubernetesConfig::with_events) (`?events=true`) writes Kubernetes Events as client-go's
//! recorder does. Both are kept in the background, on connections of their own, and an election goes on
//! without them. They are news for others and prove nothing: who is killed, frozen or cut off keeps the
//! label for a while.
//!
//! # When the cluster loses its memory
//!
//! | what happens | what candidates see | what they do |
//! |---|---|---|
//! | the Lease is deleted, or its namespace | nothing where a record was | the leader stops; the others write a vacant one, and wait a whole lease duration |
//! | a Lease is restored from a backup | another uid | wait a whole lease duration |
//! | it is brought to another cluster, by a backup tool | another uid, and perhaps smaller versions | wait a whole lease duration; those who start there count tokens from that cluster's versions, so that fences must be told to begin anew |
//! | the Lease is deleted, and created again without a holder | another uid | those who have seen a leader wait a whole lease duration; a candidate that starts afterwards takes it at once, for it looks like any new Lease |
//! | etcd is restored from a snapshot, **with** `--bump-revision` | greater versions | nothing |
//! | etcd is restored **without** it | older versions | those that live wait a whole lease duration, and go on above the tokens that they know; until versions have caught up with these, nobody else believes them, and a release is waited out |
//!
//! **Not covered:** a candidate that starts after an etcd was restored without `--bump-revision` cannot
//! know of the greater versions and tokens that there were. (Kubernetes asks for that option in any
//! case: controllers' caches break without it.)
//!
//! # What it asks for
//!
//! ```yaml
//! - apiGroups: ["coordination.k8s.io"]
//!   resources: ["leases"]
//!   verbs: ["get", "create", "update", "watch"]
//! ```
//!
//! `manifests/role.yaml` is the least, for one Lease; an error names what is missing. (A label wants
//! `patch` on `pods` besides, Events `create` on `events`: `manifests/pod-role.yaml` and
//! `manifests/events-role.yaml`.) Without `watch` a candidate does not poll: it looks when the lease may
//! have lapsed, so that a release is seen no sooner than a crash. `manifests/flow-schema.yaml` puts
//! requests for leases at the apiserver's priority level for leader election, which else is for
//! `kube-system` alone.
//!
//! Calls are never repeated behind the elector's back. One that is not answered in time is tried again
//! on a new connection, and whoever watches on the old ones watches anew. Credentials that are refused
//! are read again, from files and plugins, and of the same cluster: where a kubeconfig names another
//! one by then, every call is an error. Plugins that hand out certificates instead of tokens, and
//! proxies, are not supported; nor is a server whose certificate is not to be verified.
//!
//! The version of the API is a feature of `k8s-openapi`, of which a program has one: the default
//! feature `earliest` chooses it; turn that off where another crate does.

mod access;
mod advice;
mod announce;
mod client;
mod config;
mod errand;
mod error;
mod events;
mod judge;
mod label;
mod lease;
mod lock;
mod pauses;
mod plugin;
mod record;
mod tls;
mod warned;
mod watch;

pub use client::Kubernetes;
pub use config::KubernetesConfig;
pub use lock::KubernetesLock;
