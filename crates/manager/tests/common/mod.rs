//! What the tests of the manager share.
use std::{future::Future, sync::Arc, time::Duration};

use futures::StreamExt;
use leasehold_core::{
    Leading, LeaseLock, LeaseName, MemoryLock, MemoryStore, Record, Tenure, Timing, create_free,
};
use leasehold_manager::{BoxError, Builder, Error, Func, Group, Manager, Scope};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A lease that nobody holds, in a store of its own.
pub(crate) async fn free_lock() -> MemoryLock {
    free_lock_of(&MemoryStore::new(), "jobs").await
}

pub(crate) async fn free_lock_of(store: &MemoryStore, name: &str) -> MemoryLock {
    let lock = store.lock(LeaseName::new(name).unwrap());
    assert!(create_free(&lock).await.unwrap());
    lock
}

/// Durations short enough for tests, and long enough for a busy machine: a term that lapses for want of a
/// processor, with work that is not dropped for the same want, ends the process and all tests in it.
pub(crate) fn quick() -> Timing {
    let ms = Duration::from_millis;
    Timing::new(ms(1500), ms(1000), ms(50)).unwrap()
}

pub(crate) fn builder(name: &str) -> Builder {
    Manager::builder(name).with_timing(quick())
}

/// A manager of one lease.
pub(crate) fn of(name: &str, lock: &MemoryLock) -> Manager {
    builder(name).with_lease("jobs", lock.clone()).build().unwrap()
}

/// A manager at work.
pub(crate) struct Started {
    pub(crate) shutdown: CancellationToken,
    run: JoinHandle<Result<(), Error>>,
}

impl Started {
    pub(crate) fn new(manager: &Manager) -> Self {
        let shutdown = CancellationToken::new();
        let (running, asked) = (manager.clone(), shutdown.clone());
        let run = tokio::spawn(async move { running.start(asked).await });
        Self { shutdown, run }
    }

    /// How it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), Error> {
        self.run.await.unwrap()
    }

    /// How it ends when it is asked to.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.shutdown.cancel();
        self.ended().await
    }
}

/// What has happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<watch::Sender<Vec<String>>>);

impl Diary {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.send_modify(|lines| lines.push(what.into()));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.lines().iter().filter(|line| *line == what).count()
    }

    pub(crate) fn place(&self, what: &str) -> usize {
        let lines = self.lines();
        lines.iter().position(|line| line == what).unwrap_or_else(|| panic!("{what}: {lines:?}"))
    }

    /// Waits until this has been noted so often.
    pub(crate) async fn until(&self, what: &str, times: usize) {
        let mut lines = self.0.subscribe();
        let noted = |lines: &Vec<String>| lines.iter().filter(|line| *line == what).count();
        lines.wait_for(|lines| noted(lines) >= times).await.unwrap();
    }

    /// Notes when it starts, and when it ends or is dropped.
    pub(crate) fn stay(&self, name: &str) -> Stay {
        self.note(format!("{name} starts"));
        Stay { diary: self.clone(), name: name.to_owned() }
    }

    /// One of a group that runs until it is asked to stop.
    pub(crate) fn resident(&self, name: &'static str, group: Group) -> Func {
        let diary = self.clone();
        Func::everywhere(name, move |scope: Scope| {
            let diary = diary.clone();
            async move {
                let _stay = diary.stay(name);
                scope.stopping().await;
                Ok(())
            }
        })
        .in_group(group)
    }

    /// A leader-only one that runs until it is asked to stop.
    pub(crate) fn worker(&self, name: &'static str) -> Func {
        let diary = self.clone();
        Func::leader_only(name, move |lead: Leading| {
            let diary = diary.clone();
            async move {
                let _stay = diary.stay(name);
                assert!(lead.is_current());
                lead.stopping().await;
                Ok(())
            }
        })
    }
}

pub(crate) struct Stay {
    diary: Diary,
    name: String,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.diary.note(format!("{} ends", self.name));
    }
}

/// Leader-only, of a future.
pub(crate) fn leader_only<F>(
    name: &'static str,
    work: impl Fn(Leading) -> F + Send + Sync + 'static,
) -> Func
where
    F: Future<Output = Result<(), BoxError>> + Send + 'static,
{
    Func::leader_only(name, work)
}

pub(crate) async fn is_free(lock: &dyn LeaseLock) -> bool {
    lock.observe().await.unwrap().record.unwrap().tenure == Tenure::Free
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
