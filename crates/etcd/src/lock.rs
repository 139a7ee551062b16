use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use etcd_client::Compare;
use futures::{FutureExt, stream::BoxStream};
use leasehold_core::{
    Error, ErrorKind, FencingToken, Guarantees, LeaseLock, LeaseName, Observation, Record, Swap,
    wire::Unreadable,
};

use crate::{
    Etcd, EtcdConfig,
    client::Effect,
    error,
    txn::{self, Flaw, Seen},
    watch,
};

/// A lease that is kept in etcd, under the key `leasehold/NAME`.
pub struct EtcdLock {
    lease: Arc<Lease>,
}

/// One lease, for its lock and for those who watch.
pub(crate) struct Lease {
    pub(crate) etcd: Etcd,
    pub(crate) key: String,
    /// As [`LeaseLock::describe`] shows it.
    title: String,
    /// What is unreadable is warned of once: the cluster and the revision of the last that was.
    warned_of: Mutex<Option<(u64, i64)>>,
}

impl EtcdLock {
    /// The lock on the lease that a URL names: its forms are those of [`EtcdConfig::from_url`].
    /// etcd is asked for the lease once, so that whatever is wrong is known now. For several leases
    /// of one etcd, see [`Etcd`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no such URL, [`ErrorKind::Unreachable`] where there is no
    /// such etcd, [`ErrorKind::Denied`] where it refuses the credentials or lacks a permission
    /// (the command that grants it is named), and whatever else [`observe`](LeaseLock::observe)
    /// says. No error shows a secret.
    ///
    /// # Cancel safety
    /// Dropped, nothing is left behind.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let (config, name) = EtcdConfig::from_url(url)?;
        let lock = Etcd::new(config).lock(name);
        lock.observe().await?;
        Ok(lock)
    }

    pub(crate) fn new(etcd: Etcd, name: &LeaseName) -> Self {
        let config = etcd.config();
        let key = format!("{}{name}", config.prefix());
        let title = format!("etcd lease {name:?} at {}", config.describe());
        Self { lease: Arc::new(Lease { etcd, key, title, warned_of: Mutex::default() }) }
    }

    /// The key of the lease.
    pub fn key(&self) -> &str {
        &self.lease.key
    }

    /// What a transaction compares so that **etcd itself refuses it once the term with this token is
    /// over**: what was written under it is released, taken over, deleted or replaced. Renewals
    /// leave it true, so that it can be made once for a term.
    ///
    /// This closes the gap that no check in advance can close, for all that is kept in the same
    /// etcd. Nothing else needs to be stored or compared; a user has to be allowed to read the
    /// lease's key. (For what is kept elsewhere there is [`Fence`](leasehold_core::Fence).)
    ///
    /// It holds a little longer than the term may be believed in: a leader that has lapsed, and
    /// that nobody has followed yet, is not refused. Nobody else leads then. And after a restore from a
    /// snapshot that holds an older term, it holds again for that one, until the lease is next written.
    ///
    /// ```no_run
    /// # async fn example(lead: leasehold_core::Leading) -> Result<(), Box<dyn std::error::Error>> {
    /// use leasehold_core::LeaseName;
    /// use leasehold_etcd::{Etcd, EtcdConfig, etcd_client};
    /// use etcd_client::{Client, Txn, TxnOp};
    ///
    /// let lock = Etcd::new(EtcdConfig::new([("10.0.0.5", 2379)])?).lock(LeaseName::new("jobs")?);
    /// let mut client = Client::connect(["10.0.0.5:2379"], None).await?;
    /// let txn = Txn::new()
    ///     .when(lock.current_term(lead.token()))
    ///     .and_then([TxnOp::put("jobs/next", "42", None)]);
    /// let answer = client.txn(txn).await?;
    /// assert!(answer.succeeded(), "somebody else leads, or nobody: nothing was written");
    /// # Ok(())
    /// # }
    /// ```
    pub fn current_term(&self, token: FencingToken) -> Vec<Compare> {
        txn::is_current(&self.lease.key, token)
    }
}

impl Lease {
    pub(crate) fn operation(&self, verb: &str) -> String {
        format!("{verb} {}", self.title)
    }

    pub(crate) async fn observe(&self) -> Result<Observation, Error> {
        let operation = self.operation("read");
        let answer = self.etcd.ask(&operation, Effect::None, |mut client| {
            let key = self.key.clone();
            async move { client.get(key, None).await }.boxed()
        });
        let seen = Seen::observed(&answer.await?).ok_or_else(|| error::nonsense(&operation))?;
        self.shown(&seen, &operation)
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let operation = self.operation("replace");
        let answer = self.etcd.ask(&operation, Effect::Some, |mut client| {
            let txn = txn::swap(&self.key, expected, record);
            async move { client.txn(txn).await }.boxed()
        });
        let (written, seen) =
            Seen::swapped(&answer.await?, record).ok_or_else(|| error::nonsense(&operation))?;
        let seen = self.shown(&seen, &operation);
        match written {
            true => seen.map(Swap::Written),
            // Refused, whatever is there: also where it cannot be shown.
            false => Ok(Swap::Refused(seen.ok())),
        }
    }

    /// # Errors
    /// The record is of a newer format.
    pub(crate) fn shown(&self, seen: &Seen, operation: &str) -> Result<Observation, Error> {
        let (observation, flaw) = seen.judged();
        match flaw {
            None => {}
            Some(Flaw::Record(newer @ Unreadable::Newer(_))) => {
                let (operation, message) = (operation.to_owned(), format!("it is {newer}"));
                return Err(Error::new(ErrorKind::NewerFormat, operation, message));
            }
            Some(flaw) => {
                let mut warned_of = self.warned_of.lock().unwrap_or_else(PoisonError::into_inner);
                if warned_of.replace((seen.cluster, seen.revision))
                    != Some((seen.cluster, seen.revision))
                {
                    tracing::warn!(
                        lease = %self.title,
                        key = %self.key,
                        "what is there is no record, and is waited out like a vacant one: {flaw}"
                    );
                }
            }
        }
        Ok(observation)
    }
}

impl fmt::Debug for EtcdLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdLock")
            .field("key", &self.lease.key)
            .field("etcd", &self.lease.etcd)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LeaseLock for EtcdLock {
    fn describe(&self) -> String {
        self.lease.title.clone()
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees {
            backend: "etcd",
            memory_loss: "a majority of disks keeps what was answered; a restore from a snapshot \
                          into another cluster starts a wait, and with `--bump-revision`, too, tokens \
                          go on from above; without both, what a newcomer cannot know is not covered",
            pushes: true,
            proves_death: false,
            shortest_lease: Duration::from_millis(100),
            shortest_retry: Duration::ZERO,
            least_drift_percent: 0,
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        self.lease.observe().await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        self.lease.swap(expected, record).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        watch::observations(self.lease.clone())
    }
}
