//! A real kube-apiserver for tests, that can be frozen, killed and started again.
//!
//! ```no_run
//! # fn main() -> Result<(), leasehold_testkit::kubernetes::ServerError> {
//! use leasehold_testkit::kubernetes::{Apiserver, ApiserverOptions};
//!
//! let server = Apiserver::start()?;
//! println!("to be given to `leasehold::connect`: {}", server.url("jobs"));
//!
//! let own = ApiserverOptions::new().own().start()?;
//! own.apply(
//!     r#"{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "jobs"}}"#,
//! );
//! own.freeze();
//! own.thaw();
//! # Ok(())
//! # }
//! ```
//!
//! # Where it comes from
//!
//! In this order:
//!
//! 1. the kubeconfig in `LEASEHOLD_KUBECONFIG`: the cluster and the user of its current context, who
//!    may do everything. It is somebody's cluster: who means to freeze, kill or configure it asks for
//!    one [of his own](ApiserverOptions::own) and passes on to the next ways. `KUBECONFIG` and
//!    `~/.kube/config` are left alone: they may lead to where people work;
//! 2. the program `kube-apiserver`, version 1.33 or newer, at the path in `LEASEHOLD_KUBE_APISERVER`,
//!    in the folder `KUBEBUILDER_ASSETS`, on the `PATH`, or where the project's set-up keeps what it has
//!    built, with an [`etcd`](crate::etcd) of its own, run on free ports of 127.0.0.1 in a temporary
//!    directory;
//! 3. with the feature `containers`, a container of the image in `LEASEHOLD_KUBERNETES_IMAGE`, on the
//!    network of the host.
//!
//! `LEASEHOLD_SERVERS` narrows that to one of `address`, `binary`, `container`. Where there is none of
//! them, the [`ServerError`] says how to get one: no test is ever skipped.
//!
//! What an operator does is done by `kubectl`, which is looked for beside the server's program and in
//! the same places; that of a container is in its image.
//!
//! # What is not as in production
//!
//! There is an apiserver and an etcd, and nothing else: nobody runs Pods, and a namespace that is
//! deleted is not emptied. Who needs more names a cluster that has it. Nothing is synced to the disk,
//! unless [`ApiserverOptions::synced`] asks for it.
//!
//! # How it ends
//!
//! When it is dropped, or with the process that started it, also if that is killed. So a server may
//! live in a `static`, which Rust never drops. In somebody's cluster each namespace that was made is
//! deleted when its [`Apiserver`] is dropped; what is left of those that were not, is what
//! `kubectl get namespaces --selector leasehold.dev/tests` lists.

mod access;
mod clients;
mod elsewhere;
mod operator;
mod options;
mod recipe;
mod server;

pub use options::ApiserverOptions;
pub use server::Apiserver;

pub use crate::server::{ServerError, ToolError};
