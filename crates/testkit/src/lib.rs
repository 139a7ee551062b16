//! For those who write a backend of Leasehold, and for those who doubt one.
//!
//! * [`conformance!`]: one named test for each sentence of the contract that a backend must keep.

pub mod conformance;
