use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use kube::core::DynamicObject;
use leasehold_core::{
    Error, ErrorKind, Guarantees, LeaseLock, LeaseName, Observation, Record, Swap, Tenure,
};
use tokio::sync::watch::Sender;

use crate::{
    Kubernetes, KubernetesConfig,
    judge::{self, Shown, Unshowable},
    record::{self, Step},
    watch,
};

/// A lease that is kept in a Lease of `coordination.k8s.io/v1`.
pub struct KubernetesLock {
    pub(crate) lease: Arc<Lease>,
}

/// One lease, for its lock and for those who watch.
pub(crate) struct Lease {
    pub(crate) kubernetes: Kubernetes,
    pub(crate) name: String,
    /// As [`LeaseLock::describe`] shows it.
    title: String,
    /// The greatest version that a call was answered with: a watch that does not show it soon is
    /// deaf.
    pub(crate) answered: Sender<u64>,
    /// What is unbelievable is warned of once: the last that was.
    warned_of: Mutex<String>,
    /// That somebody else's candidates stand for it is warned of once.
    warned_of_others: AtomicBool,
    /// That changes are not pushed is warned of once.
    warned_of_blindness: AtomicBool,
}

impl KubernetesLock {
    /// The lock on the lease that a URL names: its forms are those of
    /// [`KubernetesConfig::from_url`]. The apiserver is asked for the lease once, and whether it
    /// would let it be written (a dry run), so that whatever is wrong is known now. For several
    /// leases of one cluster, see [`Kubernetes`].
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no such URL, and where no cluster is found or no such
    /// namespace is in it; [`ErrorKind::Unreachable`] where there is no such server;
    /// [`ErrorKind::Denied`] where it refuses the credentials or a right (which is named), and
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
        let title = format!(
            "kubernetes lease {name:?} in namespace {:?} at {}",
            kubernetes.namespace(),
            kubernetes.server()
        );
        Self {
            lease: Arc::new(Lease {
                kubernetes,
                name: name.as_str().to_owned(),
                title,
                answered: Sender::new(0),
                warned_of: Mutex::default(),
                warned_of_others: AtomicBool::new(false),
                warned_of_blindness: AtomicBool::new(false),
            }),
        }
    }
}

impl Lease {
    pub(crate) fn operation(&self, verb: &str) -> String {
        format!("{verb} {}", self.title)
    }

    /// What is there now.
    pub(crate) async fn observe(&self) -> Result<Observation, Error> {
        let operation = self.operation("read");
        let name = self.name.clone();
        let look = |api: kube::Api<DynamicObject>| async move {
            match api.get(&name).await {
                Ok(object) => Ok(Some(object)),
                Err(kube::Error::Api(status)) if is_absence(&status) => Ok(None),
                Err(error) => Err(error),
            }
        };
        match self.kubernetes.ask(&operation, look).await? {
            Some(object) => self.answered(object, &operation),
            None => Ok(judge::absent()),
        }
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        let operation = self.operation("replace");
        let Some(written) = self.write(expected, record, &operation).await? else {
            // Refused, whatever is there: also where it cannot be shown.
            return Ok(Swap::Refused(self.observe().await.ok()));
        };
        Ok(Swap::Written(self.answered(written, &operation)?))
    }

    /// What is there after it was written, or nothing where it was refused.
    async fn write(
        &self,
        expected: &Observation,
        record: &Record,
        operation: &str,
    ) -> Result<Option<DynamicObject>, Error> {
        if expected.record.is_some() {
            return match self.replacement(expected, record) {
                Some(object) => self.replace(object, operation, false).await,
                None => Ok(None),
            };
        }
        let vacant = record::vacant(self.kubernetes.namespace(), &self.name, record);
        let Some(created) = self.create(vacant, operation, false).await? else { return Ok(None) };
        if record.tenure == Tenure::Vacant {
            return Ok(Some(created));
        }
        let created = self.answered(created, operation)?;
        let record = Record { era: created.era.clone(), ..record.clone() };
        match self.replacement(&created, &record) {
            Some(object) => self.replace(object, operation, false).await,
            None => Ok(None),
        }
    }

    fn replacement(&self, expected: &Observation, record: &Record) -> Option<DynamicObject> {
        record::replacement(expected, record, self.kubernetes.config().is_mixed_fleet())
    }

    async fn create(
        &self,
        object: DynamicObject,
        operation: &str,
        dry: bool,
    ) -> Result<Option<DynamicObject>, Error> {
        let call = |api| async move { record::create(&api, &object, dry).await };
        Ok(self.kubernetes.ask(operation, call).await?.written())
    }

    async fn replace(
        &self,
        object: DynamicObject,
        operation: &str,
        dry: bool,
    ) -> Result<Option<DynamicObject>, Error> {
        let call = |api| async move { record::replace(&api, &object, dry).await };
        Ok(self.kubernetes.ask(operation, call).await?.written())
    }

    /// Does all that an election will do, without doing it.
    async fn rehearse(&self) -> Result<(), Error> {
        let seen = self.observe().await?;
        let operation = self.operation("rehearse a write of");
        match &seen.record {
            Some(record) => {
                if let Some(object) = self.replacement(&seen, record) {
                    self.replace(object, &operation, true).await?;
                }
            }
            None => {
                let record = Record::unreadable(seen.era);
                let vacant = record::vacant(self.kubernetes.namespace(), &self.name, &record);
                self.create(vacant, &operation, true).await?;
            }
        }
        Ok(())
    }

    /// What a call was answered with.
    fn answered(&self, object: DynamicObject, operation: &str) -> Result<Observation, Error> {
        let seen = self.shown(object, operation)?;
        let number = seen.version.number();
        self.answered.send_if_modified(|greatest| {
            let news = number > *greatest;
            *greatest = number.max(*greatest);
            news
        });
        Ok(seen)
    }

    /// # Errors
    /// The record is of a newer format, or there is no sense in the answer.
    pub(crate) fn shown(
        &self,
        object: DynamicObject,
        operation: &str,
    ) -> Result<Observation, Error> {
        let Shown { observation, flaw, foreign } = judge::shown(object).map_err(|unshowable| {
            let kind = match unshowable {
                Unshowable::Newer(_) => ErrorKind::NewerFormat,
                Unshowable::Nonsense(_) => ErrorKind::Unexpected,
            };
            Error::new(kind, operation.to_owned(), unshowable.to_string())
        })?;
        if let Some(flaw) = flaw {
            let mut warned_of = self.warned_of.lock().unwrap_or_else(PoisonError::into_inner);
            if *warned_of != flaw {
                tracing::warn!(lease = %self.title, "what the Lease says is not believed: {flaw}");
                *warned_of = flaw;
            }
        }
        if foreign
            && !self.kubernetes.config().is_mixed_fleet()
            && !self.warned_of_others.swap(true, Ordering::Relaxed)
        {
            let holder = observation.record.as_ref().and_then(Record::holder);
            tracing::warn!(
                lease = %self.title,
                holder,
                "candidates of another library stand for this lease: set mixed_fleet on all of ours"
            );
        }
        Ok(observation)
    }

    /// To watch is forbidden: a handover takes as long as a crash.
    pub(crate) fn warn_of_blindness(&self) {
        if !self.warned_of_blindness.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                lease = %self.title,
                "this account may not watch the Lease, so that a release is seen no sooner than a \
                 crash: give it the verb \"watch\""
            );
        }
    }
}

impl Step {
    fn written(self) -> Option<DynamicObject> {
        match self {
            Self::Written(object) => Some(object),
            Self::Refused => None,
        }
    }
}

/// Only the apiserver's own word that there is no such Lease: a path that is not served, or a proxy,
/// answers with the same number.
fn is_absence(status: &kube::core::Status) -> bool {
    status.code == 404
        && status.reason == "NotFound"
        && status
            .details
            .as_ref()
            .is_some_and(|details| details.kind == "leases" && !details.name.is_empty())
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
        self.lease.title.clone()
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
        self.lease.observe().await
    }

    async fn swap(&self, expected: &Observation, record: &Record) -> Result<Swap, Error> {
        self.lease.swap(expected, record).await
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, Error>> {
        watch::observations(self.lease.clone())
    }
}
