use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{future::BoxFuture, stream::BoxStream};
use leasehold_core::{Error, ErrorKind, Guarantees, LeaseLock, Observation, Record, Swap};
use tokio::{sync::watch, time};

use super::{
    config::ChaosConfig,
    plan::{Fault, Plan},
    watch::ChaosWatch,
};
use crate::{Dice, Turns};

/// A lock between which and its store things go wrong, by a seeded plan.
///
/// It wraps any lock and forwards every method. A request may be lost, fail before or after it took
/// effect, hang until it is dropped, be delayed, be sent twice, or take effect when its author has
/// long given it up; a watch may leave changes out, show them late, repeat old ones, fall silent,
/// fail or end. It never invents an answer: every fault is one that a network can have.
///
/// The same seed gives the same faults to the same requests. Clones are the same lock.
#[derive(Clone, Debug)]
pub struct ChaosLock {
    link: Arc<Link>,
}

#[derive(Debug)]
pub(super) struct Link {
    inner: Arc<dyn LeaseLock>,
    pub(super) config: ChaosConfig,
    turns: Option<Turns>,
    /// For requests; watches have dice of their own.
    dice: Mutex<Dice>,
    watches: Mutex<Dice>,
    stopped: AtomicBool,
    /// How many cuts have not been mended.
    cuts: watch::Sender<usize>,
}

impl ChaosLock {
    /// A lock before another, with faults that follow from the seed.
    pub fn new(inner: Arc<dyn LeaseLock>, seed: u64, config: ChaosConfig) -> Self {
        Self::build(inner, seed, config, None)
    }

    /// The same for a simulation: requests, answers and changes arrive in this candidate's turns.
    pub fn in_turns(
        inner: Arc<dyn LeaseLock>,
        seed: u64,
        config: ChaosConfig,
        turns: Turns,
    ) -> Self {
        Self::build(inner, seed, config, Some(turns))
    }

    fn build(
        inner: Arc<dyn LeaseLock>,
        seed: u64,
        config: ChaosConfig,
        turns: Option<Turns>,
    ) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            link: Arc::new(Link {
                inner,
                config,
                turns,
                watches: Mutex::new(dice.split()),
                dice: Mutex::new(dice),
                stopped: AtomicBool::new(false),
                cuts: watch::Sender::new(0),
            }),
        }
    }

    /// No more faults from now on. What is under way goes on as it was planned: what hangs hangs
    /// until it is dropped, and what is to be late will be.
    pub fn stop(&self) {
        self.link.stopped.store(true, Ordering::Relaxed);
    }

    /// Lets nothing through any more, neither requests nor answers nor changes, until
    /// [`mend`](Self::mend): all of them wait. Who cuts twice mends twice.
    pub fn cut(&self) {
        self.link.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Takes one cut back. After the last everything that waited goes through.
    pub fn mend(&self) {
        self.link.cuts.send_modify(|cuts| *cuts = cuts.saturating_sub(1));
    }

    /// Sends a request as it is planned.
    async fn call<T, F>(&self, what: &'static str, send: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(Arc<dyn LeaseLock>) -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    {
        let link = &self.link;
        let plan = link.plan();
        link.passage().await;
        link.pause(plan.before).await;
        let answer = match plan.fault {
            Fault::None => send(link.inner.clone()).await,
            Fault::FailBefore => Err(self.failure(what)),
            Fault::FailAfter => {
                // What it was is not known to its author.
                drop(send(link.inner.clone()).await);
                Err(self.failure(what))
            }
            Fault::HangBefore => std::future::pending().await,
            Fault::HangAfter => {
                drop(send(link.inner.clone()).await);
                std::future::pending().await
            }
            Fault::Duplicate { later, waited_for: true } => {
                drop(send(link.inner.clone()).await);
                link.pause(later.min(plan.before)).await;
                send(link.inner.clone()).await
            }
            Fault::Duplicate { later, waited_for: false } => {
                let answer = send(link.inner.clone()).await;
                self.send_later(later, send);
                answer
            }
            Fault::Late { by, told } => {
                self.send_later(by, send);
                if !told {
                    std::future::pending::<()>().await;
                }
                Err(self.failure(what))
            }
        };
        link.pause(plan.after).await;
        link.passage().await;
        answer
    }

    /// The request is on its way, and arrives whatever becomes of its author.
    fn send_later<T, F>(&self, by: Duration, send: F)
    where
        T: Send + 'static,
        F: Fn(Arc<dyn LeaseLock>) -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'static,
    {
        let link = self.link.clone();
        tokio::spawn(async move {
            link.pause(by).await;
            drop(send(link.inner.clone()).await);
        });
    }

    fn failure(&self, what: &'static str) -> Error {
        let operation = format!("{what} {}", self.link.inner.describe());
        Error::new(ErrorKind::Unreachable, operation, "a fault was planned")
    }
}

impl Link {
    fn plan(&self) -> Plan {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = Plan::throw(&mut dice, &self.config);
        if self.is_stopped() {
            return Plan { fault: Fault::None, before: Duration::ZERO, after: Duration::ZERO };
        }
        plan
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) async fn pause(&self, duration: Duration) {
        match &self.turns {
            Some(turns) => turns.sleep(duration).await,
            None if duration.is_zero() => {}
            None => time::sleep(duration).await,
        }
    }

    /// Waits while the link is cut.
    pub(super) async fn passage(&self) {
        let mut cuts = self.cuts.subscribe();
        if *cuts.borrow_and_update() > 0 {
            // The sender lives as long as this link.
            let _ = cuts.wait_for(|cuts| *cuts == 0).await;
            self.pause(Duration::ZERO).await;
        }
    }
}

#[async_trait]
impl LeaseLock for ChaosLock {
    fn describe(&self) -> String {
        self.link.inner.describe()
    }

    fn guarantees(&self) -> Guarantees {
        self.link.inner.guarantees()
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.call("read", |lock| Box::pin(async move { lock.observe().await })).await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let (expected, record) = (expected.clone(), record.clone());
        self.call("write", move |lock| {
            let (expected, record) = (expected.clone(), record.clone());
            Box::pin(async move { lock.swap(&expected, &record).await })
        })
        .await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        let dice = self.link.watches.lock().unwrap_or_else(PoisonError::into_inner).split();
        ChaosWatch::new(self.link.clone(), self.link.inner.watch(), dice).into_stream()
    }
}
