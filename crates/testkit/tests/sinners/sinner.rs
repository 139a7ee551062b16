use std::{
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use leasehold_core::{
    Error, ErrorKind, Guarantees, LeaseLock, Observation, Record, Swap, Tenure, Version,
};
use tokio_util::sync::CancellationToken;

/// How a backend can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sin {
    Rereads,
    IgnoresEra,
    RefusesByError,
    RefusesBlindly,
    WritesAnyway,
    TwoSteps,
    Resurrects,
    Restarts,
    InventsVacant,
    FreesGarbage,
    HidesGarbage,
    FailsOnGarbage,
    RoundsDurations,
    TrimsNames,
    LosesStamp,
    CountsInDoubles,
    ReadsFromCache,
    ReturnsExpected,
    OverwritesLate,
    BeginsEmpty,
    PushesOnce,
    EndsAtDeletion,
    OneWatch,
    ClaimsDeath,
    NamesNothing,
    TellsSecret,
}

/// What the handles of one lease have in common.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// What was read first.
    cached: Option<Observation>,
    /// The version at which the record was last seen to be gone.
    base: u64,
    watching: CancellationToken,
}

/// A lock that keeps every rule but one.
pub(crate) struct Sinner {
    pub(crate) inner: Arc<dyn LeaseLock>,
    pub(crate) sin: Option<Sin>,
    pub(crate) shared: Arc<Mutex<Shared>>,
}

impl std::fmt::Debug for Sinner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let password = if self.sins(Sin::TellsSecret) { "hunter2" } else { "***" };
        f.debug_struct("Sinner").field("password", &password).finish_non_exhaustive()
    }
}

impl Sinner {
    fn sins(&self, sin: Sin) -> bool {
        self.sin == Some(sin)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self) -> Observation {
        self.inner.observe().await.expect("a store in memory answers")
    }

    /// How an observation of the store is shown.
    fn shown(&self, mut seen: Observation) -> Observation {
        if self.sins(Sin::ClaimsDeath) {
            seen.holder_gone = seen.record.as_ref().is_some_and(|record| record.holder().is_some());
        }
        if self.sins(Sin::InventsVacant) && seen.version.number() > 0 {
            seen.record.get_or_insert_with(|| Record::unreadable(seen.era.clone()));
        }
        if self.sins(Sin::Restarts) {
            let mut shared = self.shared();
            if seen.record.is_none() {
                shared.base = seen.version.number();
            }
            seen.version = version(seen.version.number() - shared.base);
        }
        let garbage = seen.record.as_ref().is_some_and(|record| record.stamp.is_none());
        match &mut seen.record {
            Some(record) if garbage && self.sins(Sin::FreesGarbage) => record.tenure = Tenure::Free,
            record if garbage && self.sins(Sin::HidesGarbage) => *record = None,
            _ => {}
        }
        seen
    }

    /// What is written of a record.
    fn written(&self, mut record: Record) -> Record {
        if self.sins(Sin::RoundsDurations) {
            let millis = record.lease_duration.as_millis() as u64;
            record.lease_duration = Duration::from_millis(millis);
        }
        if self.sins(Sin::LosesStamp) {
            record.stamp = None;
        }
        if self.sins(Sin::CountsInDoubles)
            && let Some(stamp) = &mut record.stamp
        {
            stamp.attempt = stamp.attempt as f64 as u64;
        }
        if let Tenure::Held { holder } = &mut record.tenure
            && self.sins(Sin::TrimsNames)
        {
            *holder = holder.trim().into();
        }
        record
    }

    /// What is compared with what is there.
    async fn expected(&self, expected: &Observation) -> Observation {
        let mut expected = expected.clone();
        expected.holder_gone = false;
        let there = self.look().await;
        match self.sin {
            Some(Sin::Rereads | Sin::WritesAnyway) => expected = there,
            Some(Sin::IgnoresEra) => expected.era = there.era,
            Some(Sin::Resurrects) if there.record.is_none() => expected = there,
            Some(Sin::TwoSteps) if self.shown(there.clone()) == expected => {
                tokio::task::yield_now().await;
                expected = self.look().await;
            }
            Some(Sin::Restarts) => {
                expected.version = version(expected.version.number() + self.shared().base);
            }
            Some(Sin::InventsVacant) => expected.record = there.record,
            _ => {}
        }
        expected
    }
}

#[async_trait]
impl LeaseLock for Sinner {
    fn describe(&self) -> String {
        if self.sins(Sin::NamesNothing) { "a lease".into() } else { self.inner.describe() }
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let seen = self.shown(self.look().await);
        let garbage = seen.record.as_ref().is_some_and(|record| record.stamp.is_none());
        if garbage && self.sins(Sin::FailsOnGarbage) {
            return Err(Error::new(ErrorKind::Unexpected, "read the lease", "it is garbage"));
        }
        if self.sins(Sin::ReadsFromCache) && seen.record.is_some() {
            let mut shared = self.shared();
            return Ok(shared.cached.get_or_insert(seen).clone());
        }
        Ok(seen)
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let record = self.written(record.clone());
        let over = self.expected(expected).await;
        if self.sins(Sin::OverwritesLate) {
            let inner = self.inner.clone();
            let record = record.clone();
            let task = tokio::spawn(async move {
                tokio::task::yield_now().await;
                let there = inner.observe().await.expect("a store in memory answers");
                inner.swap(&there, &record).await
            });
            return task.await.expect("it does not panic");
        }
        match self.inner.swap(&over, &record).await? {
            Swap::Written(_) if self.sins(Sin::ReturnsExpected) => {
                Ok(Swap::Written(Observation { record: Some(record), ..expected.clone() }))
            }
            Swap::Written(_) if self.sins(Sin::WritesAnyway) && *expected != over => {
                Ok(Swap::Refused(None))
            }
            Swap::Written(seen) => Ok(Swap::Written(self.shown(seen))),
            Swap::Refused(_) if self.sins(Sin::RefusesByError) => {
                Err(Error::new(ErrorKind::Unexpected, "write the lease", "it was refused"))
            }
            Swap::Refused(_) if self.sins(Sin::RefusesBlindly) => {
                Ok(Swap::Refused(Some(expected.clone())))
            }
            Swap::Refused(there) => Ok(Swap::Refused(there.map(|seen| self.shown(seen)))),
        }
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        let watch = self.inner.watch();
        match self.sin {
            Some(Sin::BeginsEmpty) => Box::pin(watch.skip(1)),
            Some(Sin::PushesOnce) => Box::pin(watch.take(1).chain(futures::stream::pending())),
            Some(Sin::EndsAtDeletion) => {
                let mut there = false;
                Box::pin(watch.take_while(move |seen| {
                    let now = seen.as_ref().is_ok_and(|seen| seen.record.is_some());
                    let gone = there && !now;
                    there = now;
                    future::ready(!gone)
                }))
            }
            Some(Sin::OneWatch) => {
                let mine = CancellationToken::new();
                let before = std::mem::replace(&mut self.shared().watching, mine.clone());
                before.cancel();
                Box::pin(watch.take_until(mine.cancelled_owned()))
            }
            Some(Sin::ClaimsDeath) => Box::pin(
                watch.map(|seen| seen.map(|seen| Observation { holder_gone: true, ..seen })),
            ),
            _ => watch,
        }
    }
}

fn version(number: u64) -> Version {
    Version::new(number).expect("a version that is believed")
}
