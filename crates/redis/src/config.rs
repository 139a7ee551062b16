mod address;
mod client;
mod scheme;
mod url;

use std::{path::Path, time::Duration};

use leasehold_core::{Error, LeaseName};
pub use leasehold_endpoint::Tls;
use leasehold_endpoint::{CONNECT_TIMEOUT, Credentials, invalid};

pub(crate) use address::{Address, Topology};
pub(crate) use client::Client;

/// The port of a server, unless another is named.
const PORT: u16 = 6379;
/// The port of a sentinel, unless another is named.
const SENTINEL_PORT: u16 = 26379;

/// Which Redis (or Valkey) keeps leases, and how it is reached: a connection, which any number of
/// leases can share.
///
/// ```
/// use leasehold_redis::RedisConfig;
///
/// # fn main() -> Result<(), leasehold_core::Error> {
/// let (config, lease) = RedisConfig::from_url("redis://app:s3cret@10.0.0.5/1#jobs")?;
/// assert_eq!(lease.as_str(), "jobs");
///
/// let same = RedisConfig::single("10.0.0.5", 6379)
///     .with_database(1)?
///     .with_credentials(Some("app"), "s3cret");
/// assert_eq!(format!("{config:?}"), format!("{same:?}"));
/// assert!(!format!("{config:?}").contains("s3cret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a configuration does nothing until a lock is made of it"]
pub struct RedisConfig {
    topology: Topology,
    database: u32,
    credentials: Option<Credentials>,
    sentinel_credentials: Option<Credentials>,
    tls: Option<Tls>,
    connect_timeout: Duration,
}

impl RedisConfig {
    /// The server and the lease that a URL names:
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://[user:password@]host[:port][/db]#NAME` | one server |
    /// | `redis+unix:///path/to.sock[?db=1&user=…&password=…]#NAME` | one server of this host |
    /// | `redis+sentinel://[user:password@]host[:port][,host[:port]…]/MASTER[/db][?sentinel_user=…&sentinel_password=…]#NAME` | the master of this name, by what its sentinels say |
    /// | `redis+cluster://[user:password@]host[:port][,host[:port]…]#NAME` | the cluster that these servers belong to |
    ///
    /// `rediss`, `rediss+sentinel` and `rediss+cluster` are the same over TLS, with
    /// `?ca=/path/ca.pem` for an authority of one's own and `&cert=…&key=…` for a certificate to
    /// show: see [`Tls`].
    ///
    /// User, password, path, MASTER, NAME and the values after the `?` are percent-encoded where
    /// they hold what a URL reserves. `:password@`, without a user, is the default user's.
    /// Without a port it is 6379, or 26379 for a sentinel; without a db it is 0.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) says what is wrong and shows the form, and never repeats the URL;
    /// and as [`Tls::with_ca`] and [`Tls::with_client_certificate`].
    pub fn from_url(url: &str) -> Result<(Self, LeaseName), Error> {
        url::parse(url)
    }

    /// One server.
    pub fn single(host: impl Into<String>, port: u16) -> Self {
        Self::new(Topology::Single(Address::tcp(host, port)))
    }

    /// One server of this host, by its socket's path.
    pub fn unix(socket: impl AsRef<Path>) -> Self {
        Self::new(Topology::Single(Address::Unix(socket.as_ref().to_owned())))
    }

    /// The server that the sentinels, at these hosts and ports, call the master of this name.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) without a sentinel.
    pub fn sentinel<H: Into<String>>(
        sentinels: impl IntoIterator<Item = (H, u16)>,
        master: impl Into<String>,
    ) -> Result<Self, Error> {
        let sentinels = addresses(sentinels, "sentinel")?;
        Ok(Self::new(Topology::Sentinel { sentinels, master: master.into() }))
    }

    /// The cluster that the servers at these hosts and ports belong to.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) without a server.
    pub fn cluster<H: Into<String>>(
        seeds: impl IntoIterator<Item = (H, u16)>,
    ) -> Result<Self, Error> {
        Ok(Self::new(Topology::Cluster { seeds: addresses(seeds, "server")? }))
    }

    fn new(topology: Topology) -> Self {
        Self {
            topology,
            database: 0,
            credentials: None,
            sentinel_credentials: None,
            tls: None,
            connect_timeout: CONNECT_TIMEOUT,
        }
    }

    /// The database by its number, 0 unless set.
    ///
    /// # Errors
    /// [`Invalid`](leasehold_core::ErrorKind::Invalid) for another one than 0 on a cluster, which has no other.
    pub fn with_database(mut self, database: u32) -> Result<Self, Error> {
        if database != 0 && matches!(self.topology, Topology::Cluster { .. }) {
            let message = "a cluster has only database 0: leave it out";
            return Err(invalid(format!("use database {database}"), message));
        }
        self.database = database;
        Ok(self)
    }

    /// The user and password of the server, or of all servers of a cluster. Without a user it is
    /// the default user's password (`requirepass`). None unless set.
    pub fn with_credentials(mut self, user: Option<&str>, password: impl Into<String>) -> Self {
        self.credentials =
            Some(Credentials { user: user.map(str::to_owned), password: password.into() });
        self
    }

    /// The user and password of the sentinels, which have none of the server's. None unless set.
    pub fn with_sentinel_credentials(
        mut self,
        user: Option<&str>,
        password: impl Into<String>,
    ) -> Self {
        self.sentinel_credentials =
            Some(Credentials { user: user.map(str::to_owned), password: password.into() });
        self
    }

    /// Connects over TLS, to sentinels too. Not unless set, and not to a socket's path.
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How long an attempt to connect may take, with all that belongs to it: name, TLS, login. A
    /// second unless set.
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    pub(crate) const fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(crate) const fn database(&self) -> u32 {
        self.database
    }

    /// The place, for people: `10.0.0.5:6379, database 1`.
    pub(crate) fn describe(&self) -> String {
        match self.database {
            0 => self.topology.to_string(),
            database => format!("{}, database {database}", self.topology),
        }
    }
}

fn addresses<H: Into<String>>(
    hosts: impl IntoIterator<Item = (H, u16)>,
    of: &str,
) -> Result<Vec<Address>, Error> {
    let addresses: Vec<_> =
        hosts.into_iter().map(|(host, port)| Address::tcp(host, port)).collect();
    match addresses.is_empty() {
        false => Ok(addresses),
        true => Err(invalid(format!("find a {of}"), "none is named; name at least one")),
    }
}
