use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use leasehold_core::Error;
use leasehold_endpoint::{Credentials, HostPort, connect};
use redis::{
    AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, RedisResult,
    aio::MultiplexedConnection,
};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net,
    task::JoinSet,
    time::{self, Instant},
};
use tokio_rustls::TlsConnector;

use super::{Address, RedisConfig, Topology};
use crate::trouble::Trouble;

/// How one server is reached, and what it is told first.
///
/// The client library connects too, but reads all of the system's authorities each time, and fails
/// if one of them is torn, even where only one's own is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: Address,
    login: RedisConnectionInfo,
    tls: Option<Arc<ClientConfig>>,
    /// It is to be one of a cluster's: one that stands alone is refused.
    of_a_cluster: bool,
    limit: Duration,
}

impl RedisConfig {
    /// How to reach a server that keeps data.
    pub(crate) fn client(&self, address: &Address) -> Result<Client, Error> {
        let of_a_cluster = matches!(self.topology, Topology::Cluster { .. });
        let client = self.client_of(address, self.credentials.as_ref(), self.database)?;
        Ok(Client { of_a_cluster, ..client })
    }

    /// How to reach a sentinel.
    pub(crate) fn sentinel_client(&self, address: &Address) -> Result<Client, Error> {
        self.client_of(address, self.sentinel_credentials.as_ref(), 0)
    }

    fn client_of(
        &self,
        address: &Address,
        credentials: Option<&Credentials>,
        database: u32,
    ) -> Result<Client, Error> {
        // Without the library's name and version, which would need CLIENT SETINFO to be allowed.
        let mut login = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP3)
            .set_db(i64::from(database))
            .set_skip_set_lib_name();
        if let Some(Credentials { user, password }) = credentials {
            login = login.set_password(password);
            if let Some(user) = user {
                login = login.set_username(user);
            }
        }
        let tls = match (address, &self.tls) {
            (Address::Tcp(_), Some(tls)) => Some(tls.config()?),
            _ => None,
        };
        let (address, limit) = (address.clone(), self.connect_timeout);
        Ok(Client { address, login, tls, of_a_cluster: false, limit })
    }
}

impl Client {
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// A connection, and what moves its bytes until it is dropped.
    ///
    /// # Errors
    /// It could not be opened in time, or the server refuses us.
    pub(crate) async fn connect(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, JoinSet<()>)> {
        let deadline = Instant::now() + self.limit;
        // Apart, so that a name that is waited for in vain is told from a server that is.
        let addresses = match &self.address {
            Address::Unix(_) => Vec::new(),
            Address::Tcp(place) => resolve(place, deadline).await?,
        };
        match time::timeout_at(deadline, self.open(addresses, config)).await {
            Ok(opened) => opened,
            Err(_) => Err(late(format!("not connected within {:?}", self.limit)).into()),
        }
    }

    async fn open(
        &self,
        addresses: Vec<SocketAddr>,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, JoinSet<()>)> {
        match &self.address {
            #[cfg(unix)]
            Address::Unix(path) => self.log_in(net::UnixStream::connect(path).await?, config).await,
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
            Address::Tcp(HostPort { host, .. }) => {
                let stream = connect(addresses).await?;
                match &self.tls {
                    None => self.log_in(stream, config).await,
                    Some(tls) => {
                        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                        let connector = TlsConnector::from(tls.clone());
                        self.log_in(connector.connect(name, stream).await?, config).await
                    }
                }
            }
        }
    }

    async fn log_in(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, JoinSet<()>)> {
        let (mut connection, mover) =
            MultiplexedConnection::new_with_config(&self.login, stream, config).await?;
        let mut moving = JoinSet::new();
        moving.spawn(mover);
        if self.of_a_cluster && stands_alone(&mut connection).await {
            return Err(Trouble::NoCluster.into());
        }
        Ok((connection, moving))
    }
}

/// Whether the server says so. Why one does not answer, the scripts say better, which ask for INFO too.
async fn stands_alone(connection: &mut MultiplexedConnection) -> bool {
    let info: RedisResult<String> = redis::cmd("INFO").arg("cluster").query_async(connection).await;
    info.is_ok_and(|info| info.contains("cluster_enabled:0"))
}

/// # Errors
/// [`Trouble::Unresolved`].
async fn resolve(place: &HostPort, deadline: Instant) -> Result<Vec<SocketAddr>, Trouble> {
    let HostPort { host, port } = place;
    let found = net::lookup_host((host.as_str(), *port));
    let found = match time::timeout_at(deadline, found).await {
        Ok(found) => found.map(Iterator::collect),
        Err(_) => Err(late("no answer in time".to_owned())),
    };
    match found {
        Ok(addresses) if Vec::is_empty(&addresses) => {
            let none = io::Error::new(io::ErrorKind::NotFound, "this host has no address");
            Err(Trouble::Unresolved(none))
        }
        found => found.map_err(Trouble::Unresolved),
    }
}

fn late(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, address: &Address) -> Client {
        RedisConfig::from_url(url).unwrap().0.client(address).unwrap()
    }

    #[test]
    fn a_connection_speaks_resp3_as_the_user_in_the_database() {
        let client = of("redis://app:s3cret@h/7#jobs", &Address::tcp("h", 6379));
        assert_eq!(client.address().to_string(), "h:6379");
        assert!(client.tls.is_none());
        let login = &client.login;
        assert_eq!(login.protocol(), ProtocolVersion::RESP3);
        assert_eq!((login.username(), login.password()), (Some("app"), Some("s3cret")));
        assert_eq!(login.db(), 7);
        assert!(login.skip_set_lib_name());
        assert!(!format!("{client:?}").contains("s3cret"), "{client:?}");
    }

    #[test]
    fn a_sentinel_is_told_its_own_password_and_no_database() {
        let url = "redis+sentinel://app:data@h/m/7?sentinel_password=watch#jobs";
        let config = RedisConfig::from_url(url).unwrap().0;
        let login = config.sentinel_client(&Address::tcp("h", 26379)).unwrap().login;
        assert_eq!((login.username(), login.password()), (None, Some("watch")));
        assert_eq!(login.db(), 0);

        let config = RedisConfig::from_url("redis+sentinel://app:data@h/m#jobs").unwrap().0;
        let login = config.sentinel_client(&Address::tcp("h", 26379)).unwrap().login;
        assert_eq!((login.username(), login.password()), (None, None));
    }

    #[test]
    fn tls_is_for_hosts_and_all_connections_share_what_it_is_made_of() {
        let config = RedisConfig::from_url("rediss://[::1]#jobs").unwrap().0;
        let one = config.client(&Address::tcp("::1", 6379)).unwrap().tls.unwrap();
        let other = config.client(&Address::tcp("h", 6379)).unwrap().tls.unwrap();
        assert!(Arc::ptr_eq(&one, &other));
        assert!(config.client(&Address::Unix("/run/redis.sock".into())).unwrap().tls.is_none());
    }

    #[test]
    fn a_place_is_described_as_one_writes_it() {
        for (url, said) in [
            ("redis://10.0.0.5#j", "10.0.0.5:6379"),
            ("redis://[::1]:7000/1#j", "[::1]:7000, database 1"),
            ("redis+unix:///run/redis.sock?db=2#j", "/run/redis.sock, database 2"),
            ("redis+sentinel://a,b:7/my%20m#j", "sentinel master \"my m\" at a:26379,b:7"),
            ("rediss+cluster://u:p@a,[::2]:7#j", "cluster at a:6379,[::2]:7"),
        ] {
            assert_eq!(RedisConfig::from_url(url).unwrap().0.describe(), said);
        }
    }
}
