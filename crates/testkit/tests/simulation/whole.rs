use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{Error, Guarantees, LeaseLock, MemoryLock, Observation, Record, Swap};

/// A lock whose swap compares the whole observation, as etcd's transaction does.
///
/// A store in memory compares versions, which come again when it goes back: what was waited out
/// before is then not what stands there under the same number.
#[derive(Clone, Debug)]
pub(crate) struct WholeLock(pub(crate) MemoryLock);

#[async_trait]
impl LeaseLock for WholeLock {
    fn describe(&self) -> String {
        self.0.describe()
    }
    fn guarantees(&self) -> Guarantees {
        self.0.guarantees()
    }
    async fn observe(&self) -> Result<Observation, Error> {
        self.0.observe().await
    }
    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        // One step: a store in memory never waits, and the simulation has one thread.
        let seen = self.0.observe().await?;
        if seen.record != expected.record {
            return Ok(Swap::Refused(Some(seen)));
        }
        self.0.swap(expected, record).await
    }
    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        self.0.watch()
    }
}
