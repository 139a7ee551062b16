//! What the tests of the elector share.
pub(crate) mod gate;

use std::time::Duration;

use futures::StreamExt;
use leasehold_core::{
    Candidate, Elector, LeaseLock, LeaseName, MemoryLock, MemoryStore, Record, Timing, create_free,
};

/// A lease that nobody holds, in a store of its own.
pub(crate) async fn free_lock() -> MemoryLock {
    let lock = MemoryStore::new().lock(LeaseName::new("jobs").unwrap());
    assert!(create_free(&lock).await.unwrap());
    lock
}

pub(crate) fn candidate(name: &str) -> Candidate {
    Candidate::new(name).unwrap()
}

/// Durations short enough for tests, and long enough for a busy machine: work that is not dropped for want
/// of a processor ends the process, and all tests in it.
pub(crate) fn quick() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(1500), ms(1000), ms(50)).unwrap()
}

pub(crate) fn elector(lock: &(impl LeaseLock + Clone), name: &str) -> Elector {
    Elector::new(lock.clone(), candidate(name)).with_timing(quick())
}

/// Waits until the store shows a record that is as expected.
pub(crate) async fn until(lock: &dyn LeaseLock, expected: impl Fn(&Record) -> bool) {
    let mut watch = lock.watch();
    while let Some(seen) = watch.next().await {
        if seen.unwrap().record.as_ref().is_some_and(&expected) {
            return;
        }
    }
    panic!("the watch ended");
}
