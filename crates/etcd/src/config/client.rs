use std::{io, sync::Arc, time::Duration};

use etcd_client::{Channel, ConnectOptions, StatusResponse};
use futures::future;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{net, time};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Endpoint, Uri};

use leasehold_endpoint::{Credentials, connect};

use super::{Address, EtcdConfig, Tls};
use crate::{
    stream::{Failure, Stream},
    trouble::Trouble,
};

/// How one member is reached, and as whom.
///
/// The client library connects too, but only when the first request is made, and again whenever it
/// likes; it tries the addresses of a host one by one, and reads all of the system's authorities
/// each time.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: Address,
    credentials: Option<Credentials>,
    tls: Option<Tls>,
    limit: Duration,
}

impl EtcdConfig {
    pub(super) fn client(&self, address: &Address) -> Client {
        Client {
            address: address.clone(),
            credentials: self.credentials.clone(),
            tls: self.tls.clone(),
            limit: self.connect_timeout,
        }
    }
}

impl Client {
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// A client over one connection, logged in, that `ended` tells the end of; and what the
    /// member that answers there says of itself.
    ///
    /// # Errors
    /// It could not be opened in time, or etcd refuses us.
    pub(crate) async fn connect(
        &self,
        ended: CancellationToken,
    ) -> Result<(etcd_client::Client, StatusResponse), Trouble> {
        let failure = Failure::default();
        match time::timeout(self.limit, self.open(ended, failure.clone())).await {
            Ok(Err(Trouble::Way(error))) => {
                let deeper = failure.get().cloned().map(|failure| Trouble::Way(failure));
                Err(deeper.unwrap_or(Trouble::Way(error)))
            }
            Ok(opened) => opened,
            Err(_) => Err(Trouble::Late(self.limit)),
        }
    }

    async fn open(
        &self,
        ended: CancellationToken,
        failure: Failure,
    ) -> Result<(etcd_client::Client, StatusResponse), Trouble> {
        let Address { host, port } = &self.address;
        let stream = connect(net::lookup_host((host.as_str(), *port)).await?).await?;
        let stream = match &self.tls {
            None => Stream::new(stream, ended.clone(), failure),
            Some(tls) => {
                let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                let mut config = (*tls.config().map_err(io::Error::other)?).clone();
                config.alpn_protocols = vec![b"h2".to_vec()];
                let connector = TlsConnector::from(Arc::new(config));
                Stream::new(connector.connect(name, stream).await?, ended.clone(), failure)
            }
        };
        // Once: a connection that has ended is not opened again behind its users' back.
        let mut once = Some(TokioIo::new(stream));
        let connector = tower::service_fn(move |_: Uri| {
            let stream = once.take();
            if stream.is_none() {
                ended.cancel();
            }
            future::ready(stream.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted)))
        });
        let channel = self.endpoint()?.connect_with_connector(connector).await?;

        // A member without a leader says so, instead of letting us wait for one.
        let mut options = ConnectOptions::new().with_require_leader(true);
        if let Some(Credentials { user: Some(user), password }) = &self.credentials {
            options = options.with_user(user, password);
        }
        let channel = Channel::Tonic(channel);
        let mut client = etcd_client::Client::from_channel(channel, Some(options)).await?;
        let status = client.status().await?;
        Ok((client, status))
    }

    fn endpoint(&self) -> Result<Endpoint, Trouble> {
        let uri = format!("http://{}", self.address);
        let endpoint = Endpoint::from_shared(uri)?;
        Ok(match &self.tls {
            None => endpoint,
            // TLS is ours; but a server looks for a client's certificate only if this says so.
            Some(_) => {
                let origin = format!("https://{}", self.address);
                endpoint.origin(origin.parse().map_err(io::Error::other)?)
            }
        })
    }
}
