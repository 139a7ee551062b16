mod url;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use leasehold_core::{Error, ErrorKind, LeaseName};

/// Linux repeats a lost SYN after 1 s, and then after 2, 4 and 8 more. With an attempt each second,
/// a lost packet costs no more than it would anyway, and a link that is healed is used within a
/// second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

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
/// assert_eq!(config, KubernetesConfig::new().with_namespace("shop")?.mixed_fleet());
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
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// The cluster and the lease that a URL names:
    ///
    /// ```text
    /// kubernetes://[NAMESPACE]/NAME[?kubeconfig=/path&context=NAME&mixed_fleet=true]
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
    /// 9 %.
    pub const fn mixed_fleet(mut self) -> Self {
        self.mixed_fleet = true;
        self
    }

    /// How long an attempt to connect may take, with all that belongs to it: name, TCP, TLS. A
    /// second unless set.
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

    pub(crate) const fn connect_timeout(&self) -> Duration {
        self.connect_timeout
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
