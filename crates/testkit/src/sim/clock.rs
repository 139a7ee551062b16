use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use leasehold_core::{Clock, Moment};
use tokio::time::Instant;

use super::turns::Turns;

/// Sleeps are no shorter than this, on the clock itself. It is more than what claims are spread by,
/// which depends on an elector's random part, and less than the margin that a holder keeps.
const SHORTEST_SLEEP: Duration = Duration::from_millis(6);

/// The clocks of one simulated host, on tokio's time: they run at rates of their own, and stand
/// still while the host is suspended, as far as each does.
///
/// For a runtime whose time is paused. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct SimClock {
    host: Arc<Host>,
}

#[derive(Debug)]
struct Host {
    origin: Instant,
    turns: Turns,
    /// The rate of `CLOCK_BOOTTIME` and `CLOCK_MONOTONIC`, which NTP may bend.
    slewed: f64,
    /// The rate of `CLOCK_MONOTONIC_RAW`.
    raw: f64,
    /// When the host was or will be suspended, in true time.
    suspensions: Mutex<Vec<(Instant, Instant)>>,
}

impl SimClock {
    /// Clocks that all run at one rate: 1.1 gains a tenth on true time.
    pub fn at_rate(turns: Turns, rate: f64) -> Self {
        Self::at_rates(turns, rate, rate)
    }

    /// Clocks of which NTP bends those that it may.
    pub fn at_rates(turns: Turns, slewed: f64, raw: f64) -> Self {
        let origin = Instant::now();
        let suspensions = Mutex::default();
        Self { host: Arc::new(Host { origin, turns, slewed, raw, suspensions }) }
    }

    /// Suspends the host from now on, for so much of true time: `CLOCK_BOOTTIME` goes on, the
    /// other clocks and every sleep stand still.
    ///
    /// What is no sleep of this clock goes on: cut the candidate's [`ChaosLock`](crate::ChaosLock)
    /// for the time.
    pub fn suspend(&self, duration: Duration) {
        let now = Instant::now();
        let mut suspensions = self.host.suspensions.lock().unwrap_or_else(PoisonError::into_inner);
        // A host that is suspended cannot be suspended again before it wakes.
        let from = suspensions.last().map_or(now, |(_, until)| now.max(*until));
        let until = now + duration;
        if until > from {
            suspensions.push((from, until));
        }
    }

    /// How much of true time the host has not been awake, and when it will be if it is not now.
    fn suspended(&self, now: Instant) -> (Duration, Option<Instant>) {
        let suspensions = self.host.suspensions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut slept = Duration::ZERO;
        let mut wakes = None;
        for (from, until) in suspensions.iter() {
            slept += now.min(*until).saturating_duration_since(*from);
            if *from <= now && now < *until {
                wakes = Some(*until);
            }
        }
        (slept, wakes)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Moment {
        let now = Instant::now();
        let elapsed = now.saturating_duration_since(self.host.origin);
        let awake = elapsed.saturating_sub(self.suspended(now).0);
        let at = |rate: f64, time: Duration| (time.as_nanos() as f64 * rate) as u64;
        Moment {
            boottime: at(self.host.slewed, elapsed),
            monotonic: at(self.host.slewed, awake),
            raw: at(self.host.raw, awake),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let nanos = duration.max(SHORTEST_SLEEP).as_nanos() as u64;
        let until = self.now().monotonic.saturating_add(nanos);
        Box::pin(async move {
            loop {
                let now = Instant::now();
                let left = until.saturating_sub(clock.now().monotonic);
                let pause = match clock.suspended(now).1 {
                    Some(wakes) => wakes - now,
                    None if left == 0 => return,
                    // Of true time, and at least one tick of tokio's, so that it goes on.
                    None => Duration::from_nanos((left as f64 / clock.host.slewed).ceil() as u64),
                };
                clock.host.turns.sleep(pause.max(Duration::from_millis(1))).await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock(rate: f64) -> SimClock {
        SimClock::at_rate(Turns::new(Instant::now(), 1, 0), rate)
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_sleeps_less_than_its_time() {
        let (clock, start) = (clock(1.25), Instant::now());
        clock.sleep(SECOND).await;
        assert_eq!(start.elapsed(), Duration::from_millis(800));
        assert_eq!(clock.now(), Moment::uniform(1_000_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspended_host_ages_and_does_not_wait() {
        let (clock, start) = (clock(1.0), Instant::now());
        let before = clock.now();
        let sleep = clock.sleep(SECOND);
        clock.suspend(SECOND * 5);
        sleep.await;
        assert_eq!(start.elapsed(), SECOND * 6);
        assert_eq!(clock.now().age(before), 6_000_000_000);
        assert_eq!(clock.now().wait(before), 1_000_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slewed_clock_differs_from_the_raw_one() {
        let clock = SimClock::at_rates(Turns::new(Instant::now(), 1, 0), 0.9, 1.1);
        let before = clock.now();
        tokio::time::sleep(SECOND * 10).await;
        assert_eq!(clock.now().age(before), 11_000_000_000);
        assert_eq!(clock.now().wait(before), 9_000_000_000);
    }
}
