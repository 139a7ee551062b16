mod url;

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use leasehold_core::{Error, ErrorKind, LeaseName};

/// Linux repeats a lost SYN after 1 s, and then after 2, 4 and 8 more. With an attempt each second,
/// a lost packet costs no more than it would anyway, and a link that is healed is used within a
/// second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// With less, each call would fail.
const SHORTEST_CONNECT_TIMEOUT: Duration = Duration::from_millis(1);

/// Which cluster keeps leases, in which namespace, and how it is reached.
///
/// Unless a file or a context is named, the cluster is found as Go's controllers find theirs: by
/// `KUBECONFIG`, or else by the service account of the Pod that this runs in, or else by
/// `~/.kube/config`.
///
/// ```
/// use leasehold_kubernetes::KubernetesConfig;
///
/// # fn main() -> Result<(), leasehold_core::Error> {
/// let (config, lease) = KubernetesConfig::from_url("kubernetes://shop/jobs?mixed_fleet=true")?;
/// assert_eq!(lease.as_str(), "jobs");
/// assert_eq!(config, KubernetesConfig::new().with_namespace("shop")?.with_mixed_fleet());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a configuration does nothing until a lock is made of it"]
pub struct KubernetesConfig {
    namespace: Option<String>,
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    mixed_fleet: bool,
    label_pod: bool,
    pod: Option<String>,
    events: bool,
    connect_timeout: Duration,
}

impl KubernetesConfig {
    /// The cluster that is found from here, and one's own namespace in it.
    #[expect(clippy::new_without_default, reason = "it depends on where this runs")]
    pub const fn new() -> Self {
        Self {
            namespace: None,
            kubeconfig: None,
            context: None,
            mixed_fleet: false,
            label_pod: false,
            pod: None,
            events: false,
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// The cluster and the lease that a URL names:
    ///
    /// ```text
    /// kubernetes://[NAMESPACE]/NAME[?kubeconfig=/path&context=NAME&mixed_fleet=true
    ///                                &label_pod=true&pod=NAME&events=true]
    /// ```
    ///
    /// `kubernetes:///jobs`, with three slashes, is the lease `jobs` in one's own namespace. NAME is
    /// that of the Lease in the cluster. Values after the `?` are percent-encoded where they hold
    /// what a URL reserves.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] says what is wrong and shows the form.
    pub fn from_url(url: &str) -> Result<(Self, LeaseName), Error> {
        url::parse(url)
    }

    /// The namespace of the leases. Unless set, that of the kubeconfig's context or of the service
    /// account, or else `default`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no name of a namespace.
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Result<Self, Error> {
        let namespace = namespace.into();
        if !is_label(&namespace) || namespace.len() > 63 {
            return Err(invalid(
                format!("use the namespace {namespace:?}"),
                "the name of a namespace has 1 to 63 lower case letters, digits and dashes, and \
                 neither begins nor ends with a dash",
            ));
        }
        self.namespace = Some(namespace);
        Ok(self)
    }

    /// The kubeconfig file that says where the cluster is and who this is.
    pub fn with_kubeconfig(mut self, file: impl AsRef<Path>) -> Self {
        self.kubeconfig = Some(file.as_ref().to_owned());
        self
    }

    /// The context of the kubeconfig file; its current one unless set.
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Says that candidates which use client-go stand for these leases, too.
    ///
    /// They notice a renewal only when its time differs by a whole second, and leave less room for
    /// clocks that drift. So an elector is then refused a retry interval below 1 s, and a drift below
    /// 9 %. (Use whole seconds for client-go's durations: a holder of 1.5 s writes 1, and trusts in 1.5.)
    pub const fn with_mixed_fleet(mut self) -> Self {
        self.mixed_fleet = true;
        self
    }

    /// Labels the Pod that this runs in `leasehold.dev/leader=true` while it leads, so that a Service
    /// can select it. In a URL: `label_pod=true`.
    ///
    /// The label is set in the background once a lease was acquired, and removed **before** the lease
    /// is released: after the work has ended, and at the latest a tenth of a lease duration later (or
    /// a second, if that is less), when a warning says what is left. When a candidate starts, what an
    /// earlier life of its Pod has left is removed; when a lease is lost, the label goes as soon as
    /// the apiserver can be reached. There is one label for one Pod: with several leases in a process
    /// it stays until the last of their terms ends, so ask for it on the lease that the Service is
    /// about, and in one process of the Pod.
    ///
    /// It needs the right to `patch` `pods` (`manifests/pod-role.yaml`). Without it a warning says so,
    /// and the election goes on: neither leadership nor a renewal ever waits for the label.
    ///
    /// **It is no proof of leadership.** Who is killed, frozen or cut off keeps it until the container
    /// starts again, wakes, or is heard of again, or until its Pod is deleted, and its successor has
    /// it meanwhile, too. So give the Pod a readiness probe that fails then, which takes it out of the
    /// Service; and what must not be done twice is guarded by the fencing token.
    pub const fn with_labelled_pod(mut self) -> Self {
        self.label_pod = true;
        self
    }

    /// The Pod that this runs in, for [`with_labelled_pod`](Self::with_labelled_pod). Unless set, it is the one that the
    /// environment names: `POD_NAME` (from the downward API's `metadata.name`), or else `HOSTNAME`,
    /// which is the Pod's name unless it has the host's network or a `hostname` of its own. Its
    /// namespace is one's own, whatever that of the lease is. What can be no Pod's name is refused by
    /// [`Kubernetes::new`](crate::Kubernetes::new).
    pub fn with_pod(mut self, name: impl Into<String>) -> Self {
        self.pod = Some(name.into());
        self
    }

    /// Writes a Kubernetes Event on the Lease when it is gained and when it is lost, with the reason
    /// `LeaderElection` and the words of client-go (`pod-a_… became leader`, `pod-a_… stopped
    /// leading`), for `kubectl get events` to show. In a URL: `events=true`.
    ///
    /// It is written in the background. What is not answered is tried five times, two seconds apart, and
    /// then lost; what is refused is lost at once. An Event tells of what was written: where a campaign
    /// is given up while its claim is under way, and that is confirmed, there are Events of a term that
    /// nobody worked in. It needs the right to `create` `events` (`manifests/events-role.yaml`), in the
    /// namespace of the lease; without it a warning says so.
    pub const fn with_events(mut self) -> Self {
        self.events = true;
        self
    }

    /// How long an attempt to connect may take, with all that belongs to it: name, TCP, TLS. A
    /// second unless set; less than a millisecond is refused by [`Kubernetes::new`](crate::Kubernetes::new).
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        self.kubeconfig.as_deref()
    }

    pub(crate) fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    pub(crate) const fn is_mixed_fleet(&self) -> bool {
        self.mixed_fleet
    }

    /// The Pod to be labelled, if one is.
    ///
    /// # Errors
    /// Nobody says which it is, or no Pod can have that name.
    pub(crate) fn labelled_pod(&self) -> Result<Option<String>, Error> {
        if !self.label_pod {
            return Ok(None);
        }
        let said = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
        let pod = self.pod.clone().or_else(|| said("POD_NAME")).or_else(|| said("HOSTNAME"));
        let operation = "label the Pod that leads";
        let pod = pod.ok_or_else(|| {
            invalid(
                operation,
                "nothing says which it is: set POD_NAME by the downward API (fieldRef: \
                 metadata.name), or name it by the parameter pod",
            )
        })?;
        if pod.len() > 253 || !pod.split('.').all(is_label) {
            return Err(invalid(operation, format!("no Pod can have the name {pod:?}")));
        }
        Ok(Some(pod))
    }

    pub(crate) const fn has_events(&self) -> bool {
        self.events
    }

    /// # Errors
    /// Nobody can be reached in that time.
    pub(crate) fn connect_timeout(&self) -> Result<Duration, Error> {
        let timeout = self.connect_timeout;
        if timeout >= SHORTEST_CONNECT_TIMEOUT {
            return Ok(timeout);
        }
        Err(invalid(
            format!("connect within {timeout:?}"),
            format!(
                "no server can be reached so soon; allow {SHORTEST_CONNECT_TIMEOUT:?} at least"
            ),
        ))
    }
}

/// Whether the cluster allows a Lease of this name: a DNS subdomain.
pub(crate) fn checked_name(name: &LeaseName) -> Result<(), Error> {
    if name.as_str().split('.').all(is_label) {
        return Ok(());
    }
    Err(invalid(
        format!("use the lease name {name:?}"),
        "the name of a Lease has up to 253 lower case letters, digits, dashes and dots, and neither \
         it nor a part between dots begins or ends with a dash or is empty",
    ))
}

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| plain(*byte))
        && bytes.last().is_some_and(|byte| plain(*byte))
        && bytes.iter().all(|byte| plain(*byte) || *byte == b'-')
}

fn invalid(operation: impl Into<String>, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, operation.into(), message.into())
}
