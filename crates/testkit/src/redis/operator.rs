use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    panic::resume_unwind,
    thread,
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo, RedisConnectionInfo, RedisError, TlsCertificates, Value,
};

use tokio::runtime;

use super::{ServerError, credentials::Login};
use crate::server::tls::Tls;

/// For a server that lives; a dead one refuses at once.
const LIMIT: Duration = Duration::from_secs(5);

/// Who may do everything. Each command has a connection of its own, so that nothing that was done to
/// the server before can be in its way.
pub(super) struct Operator {
    client: Client,
}

impl Operator {
    pub(super) fn of(
        address: SocketAddr,
        login: Login<'_>,
        tls: Option<&Tls>,
    ) -> Result<Self, RedisError> {
        let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some((user, password)) = login {
            settings = settings.set_password(password);
            if let Some(user) = user {
                settings = settings.set_username(user);
            }
        }
        let (host, port) = (address.ip().to_string(), address.port());
        let info = |address: ConnectionAddr| -> Result<ConnectionInfo, RedisError> {
            Ok(address.into_connection_info()?.set_redis_settings(settings.clone()))
        };
        let client = match tls {
            None => Client::open(info(ConnectionAddr::Tcp(host, port))?)?,
            Some(tls) => {
                // There is one provider in the graph; but a program that brings another has to choose,
                // and that one has chosen if this fails.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let address =
                    ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
                Client::build_with_tls(info(address)?, certificates(tls))?
            }
        };
        Ok(Self { client })
    }

    /// The one that a URL names, and where that is.
    pub(super) fn by_url(url: &str) -> Result<(SocketAddr, Self), ServerError> {
        let client = Client::open(url)?;
        let ConnectionAddr::Tcp(host, port) = client.get_connection_info().addr() else {
            return Err(io::Error::from(io::ErrorKind::Unsupported).into());
        };
        let address = (host.as_str(), *port).to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        Ok((address, Self { client }))
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.client.get_connection_info().redis_settings().password()
    }

    /// On a thread and a runtime of its own, so that the caller may be in one or not.
    ///
    /// The blocking connections of the library have their limit from the socket, and a read with such
    /// a limit is interrupted when a child process ends, a server that is killed for instance.
    pub(super) fn ask<W: AsRef<[u8]>>(&self, words: &[W]) -> Result<Value, RedisError> {
        let mut command = Cmd::new();
        for word in words {
            command.arg(word.as_ref());
        }
        thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.ask_within_a_runtime(&command))
            });
            asked.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    async fn ask_within_a_runtime(&self, command: &Cmd) -> Result<Value, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await?;
        command.query_async(&mut connection).await
    }
}

/// As the client library wants them.
fn certificates(tls: &Tls) -> TlsCertificates {
    let client = tls.of_a_client().map(|(certificate, key)| ClientTlsConfig {
        client_cert: certificate.into(),
        client_key: key.into(),
    });
    TlsCertificates { client_tls: client, root_cert: Some(tls.ca().into()) }
}
