use rustix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC` in nanoseconds: the one clock that all processes of a host share and that
/// nobody sets.
pub fn monotonic() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    // It starts at boot and never shows a negative time.
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
