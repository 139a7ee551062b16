use leasehold_core::Error;
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo,
    io::tcp::TcpSettings,
};

use super::{Address, RedisConfig, credentials::Credentials, invalid, tls};

impl RedisConfig {
    /// How to reach a server that keeps data.
    pub(crate) fn client(&self, address: &Address) -> Result<Client, Error> {
        self.client_of(address, self.credentials.as_ref(), self.database)
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
        // Without the client's name and version, which would need CLIENT SETINFO to be allowed.
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
        let place = match (address, &self.tls) {
            (Address::Unix(path), _) => ConnectionAddr::Unix(path.clone()),
            (Address::Tcp { host, port }, None) => ConnectionAddr::Tcp(host.clone(), *port),
            (Address::Tcp { host, port }, Some(_)) => ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            },
        };
        let over_tls = matches!(place, ConnectionAddr::TcpTls { .. });
        let client = place.into_connection_info().and_then(|info| {
            let info = info
                .set_redis_settings(login)
                .set_tcp_settings(TcpSettings::default().set_nodelay(true));
            match &self.tls {
                Some(tls) if over_tls => {
                    tls::install_provider();
                    Client::build_with_tls(info, tls.certificates())
                }
                _ => Client::open(info),
            }
        });
        client.map_err(|error| {
            invalid(format!("connect to {address}"), error.to_string()).with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, address: &Address) -> Client {
        RedisConfig::from_url(url).unwrap().0.client(address).unwrap()
    }

    #[test]
    fn a_connection_speaks_resp3_without_delay_as_the_user_in_the_database() {
        let client = of("redis://app:s3cret@h/7#jobs", &Address::tcp("h", 6379));
        let info = client.get_connection_info();
        assert_eq!(info.addr().to_string(), "h:6379");
        assert!(matches!(info.addr(), ConnectionAddr::Tcp(..)));
        assert!(info.tcp_settings().nodelay());
        let login = info.redis_settings();
        assert_eq!(login.protocol(), ProtocolVersion::RESP3);
        assert_eq!((login.username(), login.password()), (Some("app"), Some("s3cret")));
        assert_eq!(login.db(), 7);
        assert!(login.skip_set_lib_name());
    }

    #[test]
    fn a_sentinel_is_told_its_own_password_and_no_database() {
        let url = "redis+sentinel://app:data@h/m/7?sentinel_password=watch#jobs";
        let config = RedisConfig::from_url(url).unwrap().0;
        let client = config.sentinel_client(&Address::tcp("h", 26379)).unwrap();
        let login = client.get_connection_info().redis_settings();
        assert_eq!((login.username(), login.password()), (None, Some("watch")));
        assert_eq!(login.db(), 0);

        let config = RedisConfig::from_url("redis+sentinel://app:data@h/m#jobs").unwrap().0;
        let client = config.sentinel_client(&Address::tcp("h", 26379)).unwrap();
        let login = client.get_connection_info().redis_settings();
        assert_eq!((login.username(), login.password()), (None, None));
    }

    #[test]
    fn tls_is_for_hosts_and_an_ipv6_address_has_no_brackets_then() {
        let client = of("rediss://[::1]#jobs", &Address::tcp("::1", 6379));
        let ConnectionAddr::TcpTls { host, insecure, .. } = client.get_connection_info().addr()
        else {
            panic!("without TLS");
        };
        assert_eq!((host.as_str(), insecure), ("::1", &false));
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
        let client = of("rediss://h#jobs", &Address::Unix("/run/redis.sock".into()));
        assert!(matches!(client.get_connection_info().addr(), ConnectionAddr::Unix(_)));
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
