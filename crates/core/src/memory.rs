use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use tokio::sync::watch;

use crate::{
    Era, Error, Guarantees, LeaseLock, LeaseName, Observation, RandomPart, Record, Swap, Version,
};

/// A store in the memory of one process: for the candidates of one program, for tests, and as the
/// shortest example of a backend.
#[derive(Clone, Default)]
pub struct MemoryStore {
    leases: Arc<Mutex<HashMap<LeaseName, watch::Sender<Observation>>>>,
    /// Tells this store from another, should a lock ever be asked to compare them.
    era: Arc<MemoryEra>,
}

struct MemoryEra(Era);

impl Default for MemoryEra {
    fn default() -> Self {
        Self(Era::new(format!("memory-{}", RandomPart::random())))
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lock on the lease of this name.
    pub fn lock(&self, name: LeaseName) -> MemoryLock {
        let lease = self
            .leases()
            .entry(name.clone())
            .or_insert_with(|| {
                watch::Sender::new(Observation::absent(self.era.0.clone(), Version::ABSENT))
            })
            .clone();
        MemoryLock { name, lease }
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<LeaseName, watch::Sender<Observation>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("era", &self.era.0).finish_non_exhaustive()
    }
}

/// One lease of a [`MemoryStore`].
#[derive(Clone, Debug)]
pub struct MemoryLock {
    name: LeaseName,
    /// What is held, behind the channel's own lock: a swap is one step under it.
    lease: watch::Sender<Observation>,
}

impl MemoryLock {
    /// Deletes the record, as an operator might. Its versions go on from where they were.
    pub fn delete(&self) {
        self.lease.send_modify(|held| held.record = None);
    }

    /// Puts something else in the place of the lease: what a store shows that lost its memory,
    /// went back to an older one, or was written to by somebody else.
    pub fn replace(&self, held: Observation) {
        self.lease.send_replace(held);
    }
}

#[async_trait]
impl LeaseLock for MemoryLock {
    fn describe(&self) -> String {
        format!("memory lease {:?}", self.name)
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            backend: "memory",
            memory_loss: "the store is lost only with the process, and all its candidates with it",
            pushes: true,
            proves_death: false,
            shortest_lease: Duration::from_millis(100),
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        Ok(self.lease.borrow().clone())
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let mut swap = Swap::Refused(None);
        self.lease.send_if_modified(|held| {
            let next = Version::new(held.version.number() + 1);
            // The record, too: `replace` may have gone back, and numbers be used again.
            let as_expected = held.era == expected.era
                && held.version == expected.version
                && held.record == expected.record;
            match next.filter(|_| as_expected) {
                Some(next) => {
                    *held = Observation::of(held.era.clone(), next, record.clone());
                    swap = Swap::Written(held.clone());
                    true
                }
                None => {
                    swap = Swap::Refused(Some(held.clone()));
                    false
                }
            }
        });
        Ok(swap)
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        let mut changes = self.lease.subscribe();
        changes.mark_changed();
        Box::pin(stream::unfold(changes, |mut changes| async move {
            changes.changed().await.ok()?;
            let seen = changes.borrow_and_update().clone();
            Some((Ok(seen), changes))
        }))
    }
}
