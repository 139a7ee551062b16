//! Real stores, real processes, real faults: a module for each fault, and a folder for each server.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod blocked;
mod certificate_rotator;
#[cfg(feature = "controller")]
mod controller;
mod crash;
mod docs;
#[cfg(feature = "etcd")]
mod etcd;
mod freeze;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod manager_stop;
mod questions;
#[cfg(all(feature = "etcd", feature = "kubernetes", feature = "redis"))]
mod readme;
#[cfg(feature = "redis")]
mod redis;
