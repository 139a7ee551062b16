//! Faults of a real kube-apiserver, and of the way to it.

mod lease;
mod mixed_fleet;
mod partition;
mod requests;
mod trouble;
