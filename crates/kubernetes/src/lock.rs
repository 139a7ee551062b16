use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;
use leasehold_core::{Error, Guarantees, LeaseLock, LeaseName, Observation, Record, Swap};
use tokio::time::Instant;

use crate::{Kubernetes, KubernetesConfig, announce::Announcer, lease::Lease, watch};

/// A lease that is kept in a Lease of `coordination.k8s.io/v1`.
pub struct KubernetesLock {
    lease: Arc<Lease>,
    /// Tells others who leads, where that is asked for.
    announcer: Option<Arc<Announcer>>,
}

impl KubernetesLock {
    /// The lock on the lease that a URL names: its forms are those of
    /// [`KubernetesConfig::from_url`]. The apiserver is asked for the lease, and then whether it would
    /// let the next write be done (a dry run: the Lease is created where nothing is, else replaced),
    /// so that what is wrong is known now. Each of the two requests is given up after 10 s. Whether the
    /// Lease may be watched is not asked: who may not is warned when it first stands for it. For
    /// several leases of one cluster, see [`Kubernetes`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](leasehold_core::ErrorKind::Invalid) for what is no such URL, and where no cluster is found or no such
    /// namespace is in it; [`ErrorKind::Unreachable`](leasehold_core::ErrorKind::Unreachable) where there is no such server;
    /// [`ErrorKind::Timeout`](leasehold_core::ErrorKind::Timeout) where it does not answer in time;
    /// [`ErrorKind::Denied`](leasehold_core::ErrorKind::Denied) where it refuses the credentials or a right (which is named), and
    /// whatever else [`observe`](LeaseLock::observe) says. No error shows a secret.
    ///
    /// # Cancel safety
    /// Dropped, nothing is left behind.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let (config, name) = KubernetesConfig::from_url(url)?;
        let lock = Kubernetes::new(config).await?.lock(name)?;
        lock.lease.rehearse().await?;
        Ok(lock)
    }

    pub(crate) fn new(kubernetes: Kubernetes, name: &LeaseName) -> Self {
        let announcer = Announcer::new(&kubernetes, name);
        Self { lease: Arc::new(Lease::new(kubernetes, name)), announcer }
    }
}

impl fmt::Debug for KubernetesLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KubernetesLock")
            .field("name", &self.lease.name)
            .field("kubernetes", &self.lease.kubernetes)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LeaseLock for KubernetesLock {
    fn describe(&self) -> String {
        self.lease.title().to_owned()
    }

    fn guarantees(&self) -> Guarantees {
        let mixed = self.lease.kubernetes.config().is_mixed_fleet();
        Guarantees {
            backend: "kubernetes",
            memory_loss: "a deleted Lease starts a wait, and versions go on from the cluster's; an \
                          etcd below that was restored without --bump-revision is not covered for \
                          candidates that start afterwards",
            pushes: true,
            proves_death: false,
            shortest_lease: Duration::from_millis(500),
            // client-go sees a renewal only where its time differs by a whole second, ...
            shortest_retry: if mixed { Duration::from_secs(1) } else { Duration::ZERO },
            // ... and trusts in clocks of one rate: chrony slews one by 8.3 %.
            least_drift_percent: if mixed { 9 } else { 0 },
        }
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let seen = self.lease.observe().await;
        if let Some(announcer) = &self.announcer {
            announcer.observed(&seen);
        }
        seen
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let Some(announcer) = &self.announcer else {
            return self.lease.swap(expected, record).await;
        };
        announcer.before(expected, record).await;
        let sent = Instant::now();
        let became = self.lease.swap(expected, record).await;
        announcer.after(record, sent, &became);
        became
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        watch::observations(self.lease.clone())
    }
}
