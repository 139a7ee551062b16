use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{Error, Guarantees, LeaseLock, Observation, Record, Swap};

/// Counts the swaps that arrive.
#[derive(Debug)]
pub(crate) struct CountingLock {
    inner: Arc<dyn LeaseLock>,
    swaps: AtomicUsize,
}

impl CountingLock {
    pub(crate) fn new(inner: Arc<dyn LeaseLock>) -> Self {
        Self { inner, swaps: AtomicUsize::new(0) }
    }

    pub(crate) fn swaps(&self) -> usize {
        self.swaps.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl LeaseLock for CountingLock {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }
    async fn observe(&self) -> Result<Observation, Error> {
        self.inner.observe().await
    }
    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        self.swaps.fetch_add(1, Ordering::Relaxed);
        self.inner.swap(expected, record).await
    }
    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        self.inner.watch()
    }
}
