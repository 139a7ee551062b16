use std::time::Duration;

/// One reading of a host's clocks, in nanoseconds. Only differences mean anything, and only
/// between readings of the same host since its boot.
///
/// The clocks differ in what they count and in who may bend them, so that no single one is safe:
///
/// | clock | while suspended | slewed by NTP |
/// |---|---|---|
/// | `CLOCK_BOOTTIME` | counts | yes |
/// | `CLOCK_MONOTONIC` | stands still | yes |
/// | `CLOCK_MONOTONIC_RAW` | stands still | no |
///
/// A holder believes the clock that claims the most time has passed, a standby the one that claims
/// the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Moment {
    /// `CLOCK_BOOTTIME`.
    pub boottime: u64,
    /// `CLOCK_MONOTONIC`.
    pub monotonic: u64,
    /// `CLOCK_MONOTONIC_RAW`.
    pub raw: u64,
}

impl Moment {
    /// A moment of a host whose clocks agree: for explorations and simulations.
    pub const fn uniform(nanos: u64) -> Self {
        Self { boottime: nanos, monotonic: nanos, raw: nanos }
    }

    /// The nanoseconds since an earlier moment as a *holder* counts them: the largest claim.
    pub fn age(self, earlier: Self) -> u64 {
        let by_boottime = self.boottime.saturating_sub(earlier.boottime);
        let by_raw = self.raw.saturating_sub(earlier.raw);
        by_boottime.max(by_raw)
    }

    /// The nanoseconds since an earlier moment as a *standby* counts them: the smallest claim.
    pub fn wait(self, earlier: Self) -> u64 {
        let by_monotonic = self.monotonic.saturating_sub(earlier.monotonic);
        let by_raw = self.raw.saturating_sub(earlier.raw);
        by_monotonic.min(by_raw)
    }

    /// The same moment, later on every clock.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        let nanos = duration.as_nanos() as u64;
        Self {
            boottime: self.boottime.saturating_add(nanos),
            monotonic: self.monotonic.saturating_add(nanos),
            raw: self.raw.saturating_add(nanos),
        }
    }
}
