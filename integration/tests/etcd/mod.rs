//! Faults of a real etcd, and of the way to it.

mod leader;
mod member;
mod memory;
mod partition;
mod quorum;
mod requests;
mod trouble;
