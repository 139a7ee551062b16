use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::{Api, core::DynamicObject};
use leasehold_core::{Error, LeaseName};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{
    KubernetesConfig, KubernetesLock,
    access::{self, Access, Identity, Loading},
    advice::wants_other_credentials,
    config::checked_name,
    error,
    record::leases,
};

/// The longest that anything here waits for the apiserver. Electors give up sooner; this is for those
/// who call a lock themselves.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(10);

/// Credentials that were refused are read again, but not more often than this: a plugin that is run
/// for them takes its time.
const RELOAD: Duration = Duration::from_secs(1);

/// One namespace of one cluster, for any number of leases: they share its connections.
///
/// ```
/// # async fn example() -> Result<(), leasehold_core::Error> {
/// use leasehold_core::LeaseName;
/// use leasehold_kubernetes::{Kubernetes, KubernetesConfig};
///
/// let kubernetes = Kubernetes::new(KubernetesConfig::new()).await?;
/// let jobs = kubernetes.lock(LeaseName::new("jobs")?)?;
/// let backups = kubernetes.lock(LeaseName::new("backups")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Kubernetes {
    cluster: Arc<Cluster>,
}

struct Cluster {
    /// With the context of the kubeconfig that was current when it was made.
    config: KubernetesConfig,
    identity: Identity,
    connect_timeout: Duration,
    /// As people know it: its URL, which never holds a secret.
    server: String,
    namespace: String,
    /// That of the Pod that this runs in.
    own_namespace: String,
    /// The Pod to be labelled.
    pod: Option<String>,
    /// None where it has to be made again.
    access: Mutex<Option<Loading>>,
    link: Mutex<Option<Arc<Link>>>,
}

/// Connections to the apiserver that all calls share, until one of them is not answered.
pub(crate) struct Link {
    client: kube::Client,
    access: Arc<Access>,
    /// Whoever watches on one of these connections watches another one from now on.
    pub(crate) retired: CancellationToken,
}

impl Kubernetes {
    /// The cluster that the configuration names. Its files are read; nothing is connected, and no
    /// plugin run, before a lock is used.
    ///
    /// Credentials that are refused are read again from the same files, and of the same context,
    /// whichever is current by then. If that has become another cluster's, every call is an error which
    /// says so: a lease is never looked for where others do not.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](leasehold_core::ErrorKind::Invalid) where no cluster can be found, or
    /// a file says nonsense, or nothing says which Pod is to be labelled, or what says it is no Pod's
    /// name, or the time to connect
    /// is none.
    ///
    /// # Cancel safety
    /// Dropped, nothing is left behind.
    pub async fn new(config: KubernetesConfig) -> Result<Self, Error> {
        let found = access::load(&config).await?;
        // Whoever makes another one current means other programs.
        let config = match &found.context {
            Some(context) => config.with_context(context),
            None => config,
        };
        let own_namespace = found.config.default_namespace.trim().to_owned();
        let namespace = config.namespace().unwrap_or(&own_namespace).to_owned();
        let pod = config.labelled_pod()?;
        let connect_timeout = config.connect_timeout()?;
        Ok(Self {
            cluster: Arc::new(Cluster {
                server: access::server(&found.config.cluster_url),
                identity: found.identity(),
                access: Mutex::new(Some(found.access(connect_timeout))),
                config,
                connect_timeout,
                namespace,
                own_namespace,
                pod,
                link: Mutex::default(),
            }),
        })
    }

    /// The lock on the Lease of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](leasehold_core::ErrorKind::Invalid) for a name that no Lease can have:
    /// it is a DNS subdomain, of lower case letters, digits, dashes and dots.
    pub fn lock(&self, name: LeaseName) -> Result<KubernetesLock, Error> {
        checked_name(&name)?;
        Ok(KubernetesLock::new(self.clone(), &name))
    }

    pub(crate) fn config(&self) -> &KubernetesConfig {
        &self.cluster.config
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.cluster.namespace
    }

    pub(crate) fn own_namespace(&self) -> &str {
        &self.cluster.own_namespace
    }

    pub(crate) fn labelled_pod(&self) -> Option<&str> {
        self.cluster.pod.as_deref()
    }

    pub(crate) fn server(&self) -> &str {
        &self.cluster.server
    }

    /// Asks the apiserver for something about leases. Unless it answers, its connections are not
    /// used again: also when this is dropped because no answer came in time.
    pub(crate) async fn ask<T, F>(
        &self,
        operation: &str,
        call: impl FnOnce(Api<DynamicObject>) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        let asked = async {
            let link = self.link().await?;
            self.ask_on(&link, operation, call).await
        };
        within(operation, LONGEST_CALL, asked).await
    }

    /// As [`ask`](Self::ask), on connections that are known, and without a limit.
    pub(crate) async fn ask_on<T, F>(
        &self,
        link: &Arc<Link>,
        operation: &str,
        call: impl FnOnce(Api<DynamicObject>) -> F + Send,
    ) -> Result<T, Error>
    where
        F: Future<Output = kube::Result<T>> + Send,
        T: Send,
    {
        let mut visit = Visit { cluster: &self.cluster, link, answered: false };
        let answer =
            call(Api::namespaced_with(link.client.clone(), self.namespace(), &leases())).await;
        visit.answered = matches!(answer, Ok(_) | Err(kube::Error::Api(_)));
        drop(visit);
        match answer {
            Ok(answer) => Ok(answer),
            Err(refusal) => {
                if wants_other_credentials(&refusal) {
                    self.reload(link);
                }
                Err(error::failed(operation, self.server(), self.namespace(), refusal))
            }
        }
    }

    pub(crate) async fn link(&self) -> Result<Arc<Link>, Error> {
        if let Some(link) = &*locked(&self.cluster.link) {
            return Ok(link.clone());
        }
        let access = self.access().await?;
        let mut kept = locked(&self.cluster.link);
        let link = kept.get_or_insert_with(|| {
            let client = access.client(self.namespace());
            Arc::new(Link { client, access, retired: CancellationToken::new() })
        });
        Ok(link.clone())
    }

    /// A client that shares no connection with any lease.
    pub(crate) async fn client_of_its_own(&self) -> Result<kube::Client, Error> {
        Ok(self.access().await?.client(self.namespace()))
    }

    async fn access(&self) -> Result<Arc<Access>, Error> {
        let Cluster { config, identity, connect_timeout, access, .. } = &*self.cluster;
        let again = || access::again(config.clone(), identity.clone(), *connect_timeout);
        let loading = locked(access).get_or_insert_with(again).clone();
        let loaded = loading.clone().await;
        if loaded.is_err() {
            // Whoever comes next tries again.
            locked(access).take_if(|kept| kept.ptr_eq(&loading));
        }
        Ok(loaded?)
    }

    /// Reads files and credentials again before the next call: they rotate.
    fn reload(&self, refused: &Arc<Link>) {
        if refused.access.since.elapsed() < RELOAD {
            return;
        }
        let is_refused = |kept: &mut Loading| {
            let kept = kept.peek().and_then(|loaded| loaded.as_ref().ok());
            kept.is_some_and(|kept| Arc::ptr_eq(kept, &refused.access))
        };
        locked(&self.cluster.access).take_if(is_refused);
        self.cluster.retire(refused);
    }
}

impl Cluster {
    fn retire(&self, link: &Arc<Link>) {
        let mut kept = locked(&self.link);
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, link)) {
            *kept = None;
        }
        link.retired.cancel();
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes")
            .field("server", &self.cluster.server)
            .field("namespace", &self.cluster.namespace)
            .finish_non_exhaustive()
    }
}

/// A request that is under way. Unless it is answered, whatever swallowed it is not trusted with
/// another one.
struct Visit<'a> {
    cluster: &'a Cluster,
    link: &'a Arc<Link>,
    answered: bool,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.cluster.retire(self.link);
        }
    }
}

/// # Errors
/// As `work`, or that it took too long.
pub(crate) async fn within<T>(
    operation: &str,
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(error::too_late(operation, limit)),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
