use std::{io, time::Duration};

use etcd_client::{Channel, ConnectOptions, StatusResponse};
use futures::future;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    net::{self, TcpStream},
    time,
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Endpoint, Uri};

use super::{Address, EtcdConfig, Tls, credentials::Credentials};
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
        let stream = connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let stream = match &self.tls {
            None => Stream::new(stream, ended.clone(), failure),
            Some(tls) => {
                let host = self.address.host.clone();
                let name = ServerName::try_from(host).map_err(io::Error::other)?;
                let connector = TlsConnector::from(tls.config().map_err(io::Error::other)?);
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
        if let Some(Credentials { user, password }) = &self.credentials {
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

/// To whichever address of a host is there first: one that swallows packets must not cost the time
/// of the others.
async fn connect(Address { host, port }: &Address) -> io::Result<TcpStream> {
    let attempts: Vec<_> = net::lookup_host((host.as_str(), *port))
        .await?
        .map(|address| Box::pin(TcpStream::connect(address)))
        .collect();
    if attempts.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "this host has no address"));
    }
    Ok(future::select_ok(attempts).await?.0)
}
