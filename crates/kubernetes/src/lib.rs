//! Leader election over a Kubernetes Lease.

mod access;
mod advice;
mod client;
mod config;
mod error;
mod judge;
mod lock;
mod record;
mod tls;
mod watch;

pub use client::Kubernetes;
pub use config::KubernetesConfig;
pub use lock::KubernetesLock;
