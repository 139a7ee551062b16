use std::sync::Arc;

use leasehold_core::{Fence, MemoryLock};
use leasehold_testkit::{History, Turns};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::weather::Weather;

/// What the candidates of one election share.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) store: MemoryLock,
    pub(crate) weather: Weather,
    pub(crate) history: History,
    pub(crate) fence: Arc<Fence>,
    pub(crate) start: Instant,
    /// There are no more faults.
    pub(crate) calm: CancellationToken,
}

impl Stage {
    /// One slot for each candidate, and one for the disturber.
    pub(crate) fn turns(&self, slot: u64) -> Turns {
        Turns::new(self.start, self.weather.candidates + 1, slot)
    }
}
