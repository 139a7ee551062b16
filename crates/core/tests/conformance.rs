//! The in-memory backend keeps the contract.

use leasehold_testkit::{conformance, conformance::MemoryFixture};

conformance!(memory, MemoryFixture::new());
