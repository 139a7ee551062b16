use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use leasehold_core::{
    FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Swap, Tenure,
};

use super::{expect::within, fixture::Fixture};

/// A handle on the lease of a test, and an author's name for what is written through it.
///
/// It writes as an elector does: in the era that was observed, and never twice with one stamp.
pub(super) struct Writer {
    pub(super) lock: Arc<dyn LeaseLock>,
    part: RandomPart,
    attempts: AtomicU64,
}

impl Writer {
    /// One with a handle of its own.
    pub(super) async fn of(fixture: &dyn Fixture) -> Self {
        Self::over(within("open a handle", fixture.lock()).await)
    }

    /// So many of them, each with a handle of its own.
    pub(super) async fn several(fixture: &dyn Fixture, how_many: usize) -> Vec<Self> {
        let mut writers = Vec::with_capacity(how_many);
        for _ in 0..how_many {
            writers.push(Self::of(fixture).await);
        }
        writers
    }

    pub(super) fn over(lock: Arc<dyn LeaseLock>) -> Self {
        Self { lock, part: RandomPart::random(), attempts: AtomicU64::new(0) }
    }

    /// One whose lease is there already, and held by this very writer.
    pub(super) async fn holding(fixture: &dyn Fixture) -> (Self, Observation) {
        let writer = Self::of(fixture).await;
        let vacant = writer.create().await;
        let held = writer.write(&vacant, &writer.held(&vacant, 1)).await;
        (writer, held)
    }

    /// Writes the first record, vacant, as an elector does where nothing is.
    pub(super) async fn create(&self) -> Observation {
        let absent = self.look().await;
        assert_eq!(absent.record, None, "the lease of a new fixture is there already");
        self.write(&absent, &self.vacant(&absent, 0)).await
    }

    pub(super) async fn look(&self) -> Observation {
        match within("observe", self.lock.observe()).await {
            Ok(seen) => seen,
            Err(error) => panic!("observe is to answer, and failed: {error:?}"),
        }
    }

    pub(super) async fn swap(&self, expected: &Observation, record: &Record) -> Swap {
        match within("swap", self.lock.swap(expected, record)).await {
            Ok(swap) => swap,
            Err(error) => panic!("swap is to answer, and failed: {error:?}"),
        }
    }

    /// A swap that must be written.
    pub(super) async fn write(&self, expected: &Observation, record: &Record) -> Observation {
        match self.swap(expected, record).await {
            Swap::Written(seen) => seen,
            Swap::Refused(there) => {
                panic!("a swap over {expected:?} is to be written; refused, there is {there:?}")
            }
        }
    }

    /// A swap that must be refused.
    pub(super) async fn refused(
        &self,
        expected: &Observation,
        record: &Record,
    ) -> Option<Observation> {
        match self.swap(expected, record).await {
            Swap::Refused(there) => there,
            Swap::Written(seen) => {
                panic!("a swap over {expected:?} is to be refused; written as {seen:?}")
            }
        }
    }

    pub(super) fn held(&self, expected: &Observation, token: u64) -> Record {
        self.held_by("pod-a", expected, token)
    }

    pub(super) fn held_by(&self, holder: &str, expected: &Observation, token: u64) -> Record {
        self.record(expected, token, Tenure::Held { holder: holder.into() })
    }

    pub(super) fn free(&self, expected: &Observation, token: u64) -> Record {
        self.record(expected, token, Tenure::Free)
    }

    pub(super) fn vacant(&self, expected: &Observation, token: u64) -> Record {
        self.record(expected, token, Tenure::Vacant)
    }

    fn record(&self, expected: &Observation, token: u64, tenure: Tenure) -> Record {
        Record {
            era: expected.era.clone(),
            token: FencingToken::new(token).expect("a token that is believed"),
            lease_duration: Duration::from_millis(15_250),
            stamp: Some(Stamp {
                author: self.part,
                attempt: self.attempts.fetch_add(1, Ordering::Relaxed) + 1,
            }),
            tenure,
        }
    }
}
