use std::sync::Arc;

use async_trait::async_trait;
use leasehold_core::{
    Era, LeaseLock, LeaseName, MemoryLock, MemoryStore, Observation, RandomPart, Record, Version,
};

use super::{
    fixture::{Feat, Fixture},
    garbage::Garbage,
};

/// A lease of a [`MemoryStore`], as an example of a fixture.
#[derive(Debug)]
pub struct MemoryFixture {
    store: MemoryStore,
    name: LeaseName,
}

impl MemoryFixture {
    /// A lease in a store of its own.
    pub fn new() -> Self {
        Self { store: MemoryStore::new(), name: name("jobs") }
    }

    fn memory_lock(&self) -> MemoryLock {
        self.store.lock(self.name.clone())
    }

    /// Puts what `change` makes of what is there in its place, as another writer would.
    async fn replace(&self, change: impl FnOnce(Observation) -> Observation + Send) {
        let lock = self.memory_lock();
        if let Ok(seen) = lock.observe().await {
            lock.replace(change(seen));
        }
    }
}

impl Default for MemoryFixture {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    async fn lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(self.memory_lock())
    }

    async fn other_lock(&self) -> Arc<dyn LeaseLock> {
        Arc::new(self.store.lock(name("other jobs")))
    }

    fn lease_name(&self) -> String {
        self.name.as_str().to_owned()
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    fn compares_era(&self) -> bool {
        true
    }

    async fn delete(&self) {
        self.memory_lock().delete();
    }

    async fn garble(&self, garbage: Garbage) -> Feat {
        match garbage {
            Garbage::Newer => {
                Feat::Impossible("a store in memory is not written by another version")
            }
            Garbage::AbsurdVersion => {
                Feat::Impossible("its versions are of a type that has no such")
            }
            _ => {
                // Records are kept as values here: what a backend of bytes reads from garbage is
                // all the garbage that there can be.
                self.replace(|seen| {
                    let record = Record::unreadable(seen.era.clone());
                    Observation::of(seen.era, next(&seen.version), record)
                })
                .await;
                Feat::Done
            }
        }
    }

    async fn renew_era(&self) -> Feat {
        self.replace(|seen| Observation { era: another_era(), ..seen }).await;
        Feat::Done
    }

    async fn forget(&self) -> Feat {
        self.replace(|_| Observation::absent(another_era(), Version::ABSENT)).await;
        Feat::Done
    }

    async fn touch(&self) -> Feat {
        self.replace(|seen| Observation { version: next(&seen.version), ..seen }).await;
        Feat::Done
    }
}

fn name(name: &str) -> LeaseName {
    LeaseName::new(name).expect("a name that is allowed")
}

fn another_era() -> Era {
    Era::new(format!("memory-{}", RandomPart::random()))
}

fn next(version: &Version) -> Version {
    Version::new(version.number() + 1).expect("a version that is believed")
}
