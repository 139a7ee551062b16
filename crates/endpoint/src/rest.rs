use std::time::Duration;

use rand::RngExt;
use tokio::time::{self, Instant};

/// After the first attempt in vain. It doubles with each further one.
const FIRST: Duration = Duration::from_millis(12);

/// No recovery is noticed later than this because of a pause: a small part of what a candidate waits
/// anyway before it asks again.
const LONGEST: Duration = Duration::from_millis(50);

/// The pause between attempts that are in vain, one after the other, so that many who need the same
/// thing do not storm it.
#[derive(Debug, Default)]
pub struct Rest {
    failures: u32,
    until: Option<Instant>,
}

impl Rest {
    /// An attempt has ended: a pause begins, from half of what is allowed to all of it, or is not
    /// needed any more.
    pub fn tried(&mut self, succeeded: bool) {
        if succeeded {
            *self = Self::default();
            return;
        }
        let pause = FIRST.saturating_mul(1 << self.failures.min(8)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(Instant::now() + pause.mul_f64(rand::rng().random_range(0.5..1.0)));
    }

    /// Waits until the pause is over, if there is one. It need not be there any more meanwhile.
    pub fn over(&self) -> impl Future<Output = ()> + Send + use<> {
        let until = self.until;
        async move {
            if let Some(until) = until {
                time::sleep_until(until).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_bound_and_end_with_the_first_success() {
        let mut rest = Rest::default();
        let paused = async |rest: &Rest| {
            let began = Instant::now();
            rest.over().await;
            began.elapsed()
        };
        assert_eq!(paused(&rest).await, Duration::ZERO);
        for failures in 0..100 {
            rest.tried(false);
            let (pause, most) = (paused(&rest).await, FIRST * (1 << failures.min(4)));
            let most = most.min(LONGEST);
            // A timer is coarse: it fires up to a millisecond later.
            let tick = Duration::from_millis(1);
            assert!(most / 2 <= pause && pause <= most + tick, "{failures}: {pause:?}");
        }
        rest.tried(true);
        assert_eq!(paused(&rest).await, Duration::ZERO);
        rest.tried(false);
        assert!(paused(&rest).await <= FIRST + Duration::from_millis(1));
    }
}
