//! How several leases come to be led by several processes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{Error, Guarantees, LeaseLock, Observation, Record, Swap, Tenure};
use tokio::{sync::Semaphore, time};

use crate::elected::Led;

/// So long each lease that a process leads holds it back from another: longer than it takes others to
/// hear that a lease is free, and to take it, and too short to be missed.
const STEP: Duration = Duration::from_millis(50);

/// What the elections of one manager know of each other.
#[derive(Debug)]
pub(crate) struct Spread {
    /// In the order in which they were gained.
    led: Mutex<Vec<Arc<str>>>,
    /// One takes a lease at a time, so that the next knows of it.
    turn: Semaphore,
}

impl Spread {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { led: Mutex::default(), turn: Semaphore::new(1) })
    }

    pub(crate) fn leads(&self, lease: &Arc<str>) {
        let mut led = self.led();
        if !led.contains(lease) {
            led.push(lease.clone());
        }
    }

    pub(crate) fn leads_no_more(&self, lease: &Arc<str>) {
        self.led().retain(|one| one != lease);
    }

    /// What of this was gained last.
    pub(crate) fn last_of(&self, led: &Led) -> Option<Arc<str>> {
        // A lease that was taken may have been lost before there was a term.
        self.led().iter().rfind(|lease| led.contains_key(*lease)).cloned()
    }

    fn led(&self) -> MutexGuard<'_, Vec<Arc<str>>> {
        self.led.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lock whose lease is taken the later, the more leases the process leads already.
///
/// Who leads fewer comes first, and who comes late finds another version and is refused. Nothing is
/// taken earlier than it would be, so nothing that is promised of a lease depends on this.
#[derive(Debug)]
pub(crate) struct Yielding {
    pub(crate) lock: Arc<dyn LeaseLock>,
    pub(crate) lease: Arc<str>,
    pub(crate) spread: Arc<Spread>,
    /// No longer than this: the call has a limit, and the term counts from before it.
    pub(crate) most: Duration,
}

impl Yielding {
    /// Whether this is the beginning of a term.
    fn takes(expected: &Observation, record: &Record) -> bool {
        let before = expected.record.as_ref();
        matches!(record.tenure, Tenure::Held { .. })
            && before.is_none_or(|before| before.token != record.token || before.holder().is_none())
    }
}

#[async_trait]
impl LeaseLock for Yielding {
    fn describe(&self) -> String {
        self.lock.describe()
    }

    fn guarantees(&self) -> Guarantees {
        self.lock.guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.lock.observe().await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        if !Self::takes(expected, record) {
            if record.tenure == Tenure::Free {
                // Given back, perhaps before there was a term: the campaign had been withdrawn.
                self.spread.leads_no_more(&self.lease);
            }
            return self.lock.swap(expected, record).await;
        }
        // Where another lease's store does not answer, this one does not wait for it for long.
        let _turn = time::timeout(self.most.min(STEP), self.spread.turn.acquire()).await;
        let led = self.spread.led().len() as u32;
        if led > 0 {
            time::sleep((STEP * led).min(self.most)).await;
        }
        let swapped = self.lock.swap(expected, record).await;
        if let Ok(Swap::Written(_)) = swapped {
            self.spread.leads(&self.lease);
        }
        swapped
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        self.lock.watch()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

    use leasehold_core::{LeaseName, MemoryStore, create_free};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_lease_that_is_led_holds_the_next_one_back() {
        let (spread, store) = (Spread::new(), MemoryStore::new());
        for (led, name) in (0..).zip(["backups", "certs", "quotas"]) {
            let lock = store.lock(LeaseName::new(name).unwrap());
            create_free(&lock).await.unwrap();
            let free = lock.observe().await.unwrap();
            let tenure = Tenure::Held { holder: "a".into() };
            let held = Record { tenure, ..free.record.clone().unwrap() };
            let (lease, most) = (name.into(), Duration::from_secs(1));
            let lock = Yielding { lock: Arc::new(lock), lease, spread: spread.clone(), most };
            let began = Instant::now();
            assert!(matches!(lock.swap(&free, &held).await, Ok(Swap::Written(_))));
            assert_eq!(began.elapsed(), STEP * led);
        }
    }
}
