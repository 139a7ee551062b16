//! The store would rather have somebody else lead.

use std::{sync::Arc, time::Instant};

use crate::common::{candidate, elector, free_lock, quick, until};
use async_trait::async_trait;
use futures::{FutureExt, StreamExt, stream::BoxStream};
use leasehold_core::{
    Error, Guarantees, LeaseLock, MemoryLock, Observation, Record, Status, Swap, Tenure,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A store whose keepers may have a wish, until the next term begins.
#[derive(Clone, Debug)]
struct Wishing {
    store: MemoryLock,
    wish: Arc<watch::Sender<Option<Arc<str>>>>,
}

impl Wishing {
    async fn new() -> Self {
        Self { store: free_lock().await, wish: Arc::default() }
    }

    /// Makes a wish, and touches the record, so that it is shown.
    async fn prefer(&self, whom: &str) {
        self.wish.send_replace(Some(whom.into()));
        loop {
            let seen = self.store.observe().await.unwrap();
            if matches!(
                self.store.swap(&seen, seen.record.as_ref().unwrap()).await.unwrap(),
                Swap::Written(_)
            ) {
                return;
            }
        }
    }

    fn shown(&self, seen: Observation) -> Observation {
        Observation { preferred: self.wish.borrow().clone(), ..seen }
    }
}

#[async_trait]
impl LeaseLock for Wishing {
    fn describe(&self) -> String {
        self.store.describe()
    }

    fn guarantees(&self) -> Guarantees {
        self.store.guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        Ok(self.shown(self.store.observe().await?))
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let swap = self.store.swap(expected, record).await?;
        let replaced = expected.record.as_ref().map(|replaced| replaced.token);
        if let (Swap::Written(_), Tenure::Held { .. }) = (&swap, &record.tenure)
            && replaced != Some(record.token)
        {
            self.wish.send_replace(None);
        }
        Ok(match swap {
            Swap::Written(seen) => Swap::Written(self.shown(seen)),
            Swap::Refused(seen) => Swap::Refused(seen.map(|seen| self.shown(seen))),
        })
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        let lock = self.clone();
        Box::pin(self.store.watch().map(move |seen| Ok(lock.shown(seen?))))
    }
}

#[tokio::test]
async fn a_leader_steps_down_for_whom_its_store_prefers_and_nobody_else_takes_the_lease() {
    let lock = Wishing::new().await;
    let shutdown = CancellationToken::new();
    let (one, another, preferred) = (elector(&lock, "a"), elector(&lock, "b"), elector(&lock, "c"));
    let lead = one.campaign(&shutdown).await.unwrap();
    let mut others = Box::pin(another.campaign(&shutdown));
    let mut wanted = Box::pin(preferred.campaign(&shutdown));
    assert!(futures::poll!(&mut others).is_pending() && futures::poll!(&mut wanted).is_pending());
    for standby in [&another, &preferred] {
        standby.status().wait_for(|status| matches!(status, Status::Following { .. })).await;
    }

    lock.prefer("c").await;
    lead.stopping().await;
    assert!(lead.is_current(), "it may end its work");
    let token = lead.token();
    let resigned = tokio::spawn(lead.resign());
    let successor = tokio::select! {
        successor = wanted => successor.unwrap(),
        _ = others => panic!("b was not meant"),
    };
    assert!(resigned.await.unwrap());
    assert!(successor.token() > token);
    assert_eq!(*lock.wish.borrow(), None, "it is fulfilled");
}

#[tokio::test]
async fn whom_the_store_prefers_leads_on() {
    let lock = Wishing::new().await;
    let elector = elector(&lock, "a");
    let lead = elector.campaign(&CancellationToken::new()).await.unwrap();
    let record = lock.observe().await.unwrap().record.unwrap();
    let part = record.stamp.unwrap().author;
    for whom in ["a".to_owned(), format!("a_{part}")] {
        lock.prefer(&whom).await;
        let before = lock.observe().await.unwrap().record.unwrap();
        until(&lock, |now| now.stamp != before.stamp).await;
        assert!(lead.is_current() && lead.stopping().now_or_never().is_none(), "{whom}");
    }
}

#[tokio::test]
async fn one_who_is_preferred_and_not_there_is_waited_for_no_longer_than_a_lease() {
    let lock = Wishing::new().await;
    let (one, another) = (elector(&lock, "a"), elector(&lock, "b"));
    let shutdown = CancellationToken::new();
    let lead = one.campaign(&shutdown).await.unwrap();
    lock.prefer(candidate("z").name()).await;
    lead.stopping().await;
    let given_back = Instant::now();
    assert!(lead.resign().await);
    let lead = another.campaign(&shutdown).await.unwrap();
    assert!(given_back.elapsed() >= quick().lease_duration());
    assert!(lead.is_current());
}
