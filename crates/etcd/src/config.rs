mod client;
mod url;

use std::time::Duration;

use leasehold_core::{Error, LeaseName};
pub(crate) use leasehold_endpoint::HostPort as Address;
pub use leasehold_endpoint::Tls;
use leasehold_endpoint::{CONNECT_TIMEOUT, Credentials, invalid};

pub(crate) use client::Client;

/// The port for clients, unless another is named.
const PORT: u16 = 2379;

/// What the key of a lease begins with, unless set.
const PREFIX: &str = "leasehold/";

/// Which etcd keeps leases, and how it is reached.
///
/// ```
/// use leasehold_etcd::EtcdConfig;
///
/// # fn main() -> Result<(), leasehold_core::Error> {
/// let (config, lease) = EtcdConfig::from_url("etcd://app:s3cret@10.0.0.5,10.0.0.6:2379/jobs")?;
/// assert_eq!(lease.as_str(), "jobs");
///
/// let same = EtcdConfig::new([("10.0.0.5", 2379), ("10.0.0.6", 2379)])?
///     .with_credentials("app", "s3cret");
/// assert_eq!(config, same);
/// assert!(!format!("{config:?}").contains("s3cret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a configuration does nothing until a lock is made of it"]
pub struct EtcdConfig {
    endpoints: Vec<Address>,
    credentials: Option<Credentials>,
    tls: Option<Tls>,
    prefix: String,
    connect_timeout: Duration,
}

impl EtcdConfig {
    /// The etcd and the lease that a URL names:
    ///
    /// | URL | |
    /// |---|---|
    /// | `etcd://[user:password@]host[:port][,host[:port]…]/NAME` | in plain text |
    /// | `etcds://…` with the same, and `?ca=/path/ca.pem&cert=…&key=…` | over TLS: an authority of one's own, a certificate to show; see [`Tls`] |
    ///
    /// Name all members, or as many as can be named: when one is gone, another is asked. Both take
    /// `?prefix=…`, see [`with_prefix`](Self::with_prefix).
    ///
    /// User, password, NAME and the values after the `?` are percent-encoded where they hold what
    /// a URL reserves. Without a port it is 2379.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) says what is wrong and shows the form, and never repeats the URL;
    /// and as [`Tls::with_ca`] and [`Tls::with_client_certificate`].
    pub fn from_url(url: &str) -> Result<(Self, LeaseName), Error> {
        url::parse(url)
    }

    /// The etcd whose members answer their clients at these hosts and ports.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) without one.
    pub fn new<H: Into<String>>(
        endpoints: impl IntoIterator<Item = (H, u16)>,
    ) -> Result<Self, Error> {
        let endpoints: Vec<_> =
            endpoints.into_iter().map(|(host, port)| Address::new(host, port)).collect();
        if endpoints.is_empty() {
            return Err(invalid("find an etcd", "no member is named; name at least one"));
        }
        Ok(Self {
            endpoints,
            credentials: None,
            tls: None,
            prefix: PREFIX.to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
        })
    }

    /// The user and the password. None unless set: then etcd takes the common name of the
    /// certificate that is shown for the user, if it is told to authenticate at all.
    pub fn with_credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.credentials = Some(Credentials { user: Some(user.into()), password: password.into() });
        self
    }

    /// Connects over TLS. Not unless set.
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What the key of a lease begins with, `leasehold/` unless set: the lease `jobs` is then kept
    /// under `leasehold/jobs`. All who contend for a lease use the same, and a user needs to be
    /// granted all of it.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) for an empty one: what is pushed would be all that etcd keeps.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Result<Self, Error> {
        self.prefix = prefix.into();
        if self.prefix.is_empty() {
            let message = "it is empty; name what the keys of your leases begin with: leasehold/";
            return Err(invalid("use a prefix", message));
        }
        Ok(self)
    }

    /// How long an attempt to connect may take, with all that belongs to it: name, TLS, login. A
    /// second unless set.
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) const fn uses_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// How each member is reached.
    pub(crate) fn clients(&self) -> Vec<Client> {
        self.endpoints.iter().map(|address| self.client(address)).collect()
    }

    /// The place, for people: `10.0.0.5:2379,10.0.0.6:2379`.
    pub(crate) fn describe(&self) -> String {
        let endpoints: Vec<_> = self.endpoints.iter().map(Address::to_string).collect();
        let endpoints = endpoints.join(",");
        match self.prefix.as_str() {
            PREFIX => endpoints,
            prefix => format!("{endpoints}, prefix {prefix:?}"),
        }
    }
}
