use std::time::Duration;

use tokio::time::{self, Instant};

/// The milliseconds that belong to one of several candidates.
///
/// The order in which a runtime wakes tasks at one and the same instant is nobody's promise. So
/// that a simulation follows from its seed alone, each candidate acts at instants of its own:
/// those whose number, counted in milliseconds, leaves its remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turns {
    origin: Instant,
    of: u64,
    mine: u64,
}

impl Turns {
    /// The turns of the candidate `mine` of `of`, counted from `origin`: the runtime's start.
    ///
    /// # Panics
    /// Unless `mine` is below `of`.
    pub fn new(origin: Instant, of: u64, mine: u64) -> Self {
        assert!(mine < of, "turn {mine} of {of}");
        Self { origin, of, mine }
    }

    /// The first turn that is not before `at`.
    pub fn not_before(&self, at: Instant) -> Instant {
        let nanos = at.saturating_duration_since(self.origin).as_nanos() as u64;
        let millis = nanos.div_ceil(1_000_000);
        let round = millis.saturating_sub(self.mine).div_ceil(self.of);
        self.origin + Duration::from_millis(round * self.of + self.mine)
    }

    /// Sleeps for this long, and on until the next turn.
    ///
    /// # Cancel safety
    /// Nothing is lost but the time slept.
    pub async fn sleep(&self, duration: Duration) {
        time::sleep_until(self.not_before(Instant::now() + duration)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_wakes_in_the_turn_of_another() {
        let origin = Instant::now();
        let mine = Turns::new(origin, 5, 3);
        for micros in [0, 1, 2_999, 3_000, 3_001, 7_999, 12_345] {
            mine.sleep(Duration::from_micros(micros)).await;
            let millis = origin.elapsed().as_micros();
            assert_eq!(millis % 5_000, 3_000, "woken after {millis} µs");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_has_come_is_not_waited_out_again() {
        let mine = Turns::new(Instant::now(), 5, 0);
        mine.sleep(Duration::from_millis(10)).await;
        let now = Instant::now();
        mine.sleep(Duration::ZERO).await;
        assert_eq!(Instant::now(), now);
    }
}
