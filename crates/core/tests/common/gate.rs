//! A lock between an elector and its store that a test opens and shuts.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use leasehold_core::{Error, ErrorKind, Guarantees, LeaseLock, Observation, Record, Swap};
use tokio::sync::watch;

/// What happens to each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It reaches the store, and the answer comes back.
    Open,
    /// It never reaches the store, and there is no answer.
    Shut,
    /// A swap reaches the store, and its answer is lost; reads pass.
    WritesUnheard,
    /// It reaches the store, and the answer takes this long.
    AnswersLate(Duration),
    /// It fails at once.
    Broken,
    /// It reaches the store, and the answer comes back; but nothing can be watched.
    Unwatched,
    /// A watch shows what is there, and ends.
    WatchedOnce,
    /// A swap does not reach the store, and is confirmed with what is there.
    Confirmed,
    /// What is there can be neither shown nor written over: it is of a newer format.
    Newer,
}

#[derive(Clone, Debug)]
pub(crate) struct Gate<L> {
    pub(crate) store: L,
    passage: Arc<watch::Sender<Passage>>,
    /// Counts the swaps that came here.
    swaps: Arc<watch::Sender<usize>>,
    /// What the next swaps find, one each.
    plan: Arc<Mutex<VecDeque<Passage>>>,
}

impl<L: LeaseLock + Clone> Gate<L> {
    pub(crate) fn before(store: L) -> Self {
        Self {
            store,
            passage: Arc::new(watch::Sender::new(Passage::Open)),
            swaps: Arc::new(watch::Sender::new(0)),
            plan: Arc::default(),
        }
    }

    pub(crate) fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }

    /// Sets what each of the next swaps finds; the last one stays.
    pub(crate) fn plan(&self, passages: impl IntoIterator<Item = Passage>) {
        self.plan.lock().unwrap().extend(passages);
    }

    /// Waits until so many more swaps have come here.
    pub(crate) async fn swaps(&self, more: usize) {
        let mut swaps = self.swaps.subscribe();
        let target = *swaps.borrow() + more;
        swaps.wait_for(|count| *count >= target).await.unwrap();
    }

    async fn pass<T>(
        &self,
        write: bool,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let passage = *self.passage.borrow();
        match passage {
            Passage::Open | Passage::Unwatched | Passage::WatchedOnce | Passage::Confirmed => {
                call.await
            }
            Passage::Shut => std::future::pending().await,
            Passage::Broken => {
                // In other words each time, as by another of several servers.
                let why = format!("the gate is broken, swap {}", *self.swaps.borrow());
                Err(Error::new(ErrorKind::Unreachable, "reach the store", why))
            }
            Passage::Newer => {
                Err(Error::new(ErrorKind::NewerFormat, "read the store", "it is format 2"))
            }
            Passage::WritesUnheard => {
                let answer = call.await;
                if write { std::future::pending().await } else { answer }
            }
            Passage::AnswersLate(delay) => {
                let answer = call.await;
                tokio::time::sleep(delay).await;
                answer
            }
        }
    }
}

#[async_trait]
impl<L: LeaseLock + Clone> LeaseLock for Gate<L> {
    fn describe(&self) -> String {
        self.store.describe()
    }

    fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.pass(false, self.store.observe()).await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        self.swaps.send_modify(|count| *count += 1);
        let planned = self.plan.lock().unwrap().pop_front();
        planned.into_iter().for_each(|passage| self.set(passage));
        if *self.passage.borrow() == Passage::Newer {
            return Ok(Swap::Refused(None));
        }
        if *self.passage.borrow() == Passage::Confirmed {
            return self.store.observe().await.map(Swap::Written);
        }
        self.pass(true, self.store.swap(expected, record)).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        if *self.passage.borrow() == Passage::Unwatched {
            return Box::pin(stream::empty());
        }
        if *self.passage.borrow() == Passage::WatchedOnce {
            let store = self.store.clone();
            return Box::pin(stream::once(async move { store.observe().await }));
        }
        // What the gate does not let through is held back, not lost.
        let passage = self.passage.subscribe();
        Box::pin(stream::unfold((self.store.watch(), passage), |(mut watch, mut passage)| async {
            let seen = watch.next().await?;
            passage.wait_for(|passage| *passage == Passage::Open).await.ok()?;
            Some((seen, (watch, passage)))
        }))
    }
}
