use std::{
    fmt, thread,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use tokio::{task, time};

use super::moment::Moment;

/// What tells an elector the time: the host's clocks, unless a simulation brings its own.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// A reading of the clocks.
    fn now(&self) -> Moment;

    /// Only the clocks that a holder goes by ([`Moment::age`]); the others may be left 0.
    fn as_holder(&self) -> Moment {
        self.now()
    }

    /// Ends after this much time of this clock, or a little later.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The same, as exactly as can be: for the end of another's lease, when nobody leads meanwhile.
    fn sleep_exactly(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep(duration)
    }
}

/// The clocks of this host.
///
/// On Linux they are those of [`Moment`]. On other systems `CLOCK_MONOTONIC` or the system's
/// equivalent serves as all three: whether it counts suspension is the system's affair, and a
/// leader on a host that was suspended may go on until it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Moment {
        Moment { boottime: boottime(), monotonic: monotonic(), raw: raw() }
    }

    // Two reads, not three: this is what `is_current` costs.
    fn as_holder(&self) -> Moment {
        Moment { boottime: boottime(), monotonic: 0, raw: raw() }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(time::sleep(duration))
    }

    // A runtime's timers count whole milliseconds and round up, as does what it waits in. A thread that
    // sleeps does not, but there may be none to be had.
    fn sleep_exactly(&self, duration: Duration) -> BoxFuture<'static, ()> {
        const ROUNDING: Duration = Duration::from_millis(3);
        Box::pin(async move {
            let until = Instant::now() + duration;
            let exactly = async {
                time::sleep(duration.saturating_sub(ROUNDING)).await;
                let rest = until.saturating_duration_since(Instant::now());
                task::spawn_blocking(move || thread::sleep(rest)).await
            };
            tokio::select! {
                _ = exactly => {}
                () = time::sleep(duration) => {}
            }
        })
    }
}

#[cfg(target_os = "linux")]
mod host {
    use rustix::time::{ClockId, clock_gettime};

    fn read(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        // These clocks start at boot and never show a negative time.
        time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
    }

    pub(super) fn boottime() -> u64 {
        read(ClockId::Boottime)
    }
    pub(super) fn monotonic() -> u64 {
        read(ClockId::Monotonic)
    }
    pub(super) fn raw() -> u64 {
        read(ClockId::MonotonicRaw)
    }
}

#[cfg(not(target_os = "linux"))]
mod host {
    use std::{sync::OnceLock, time::Instant};

    pub(super) fn monotonic() -> u64 {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
    pub(super) fn boottime() -> u64 {
        monotonic()
    }
    pub(super) fn raw() -> u64 {
        monotonic()
    }
}

use host::{boottime, monotonic, raw};
