//! Which server keeps a lease: the one there is, the master that the sentinels name, or the one
//! that has the lease's slot of a cluster.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, future, stream::FuturesUnordered};
use leasehold_core::Error;
use redis::{Client, RedisError, RedisResult};

use crate::{
    Redis,
    client::within,
    config::{Address, Topology},
    connection::Connection,
    error,
    host::Host,
};

impl Redis {
    /// The server that keeps the lease, or, in a cluster, one that knows which does.
    pub(crate) async fn locate(&self, operation: &str) -> Result<Arc<Host>, Error> {
        match self.config().topology() {
            Topology::Single(address) => self.host(address.clone()),
            Topology::Sentinel { sentinels, master } => {
                self.host(self.ask_sentinels(sentinels, master, operation).await?)
            }
            Topology::Cluster { seeds } => self.any_host(seeds, operation).await,
        }
    }

    /// What most sentinels say: one that is cut off from the others may be behind.
    async fn ask_sentinels(
        &self,
        sentinels: &[Address],
        master: &str,
        operation: &str,
    ) -> Result<Address, Error> {
        let asked = sentinels.iter().map(|sentinel| {
            within(operation, async move {
                let client = self.config().sentinel_client(sentinel)?;
                let answer = self.ask_sentinel(sentinel, &client, master).await;
                match answer.map_err(|error| error::failed(operation, sentinel, &error))? {
                    Some(address) => Ok(address),
                    None => Err(error::unknown_master(operation, sentinel, master)),
                }
            })
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut votes: HashMap<Address, usize> = HashMap::new();
        let mut trouble = error::no_sentinel(operation);
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(address) => {
                    let count = votes.entry(address.clone()).or_default();
                    *count += 1;
                    if *count > sentinels.len() / 2 {
                        return Ok(address);
                    }
                }
                Err(error) => trouble = error,
            }
        }
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        most.map(|(address, _)| address).ok_or(trouble)
    }

    async fn ask_sentinel(
        &self,
        sentinel: &Address,
        client: &Client,
        master: &str,
    ) -> RedisResult<Option<Address>> {
        let limit = self.config().connect_timeout();
        let connection = Connection::open(sentinel, client, limit).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
        let answer = connection.ask(&question).await?;
        let named: Option<(String, u16)> = redis::from_redis_value(answer)?;
        Ok(named.map(|(host, port)| Address::tcp(host, port)))
    }

    /// Whichever of a cluster's servers is reached first: it says where the lease is.
    async fn any_host(&self, seeds: &[Address], operation: &str) -> Result<Arc<Host>, Error> {
        for seed in seeds {
            self.host(seed.clone())?;
        }
        let known: Vec<_> = self.hosts().values().cloned().collect();
        let reached = known.into_iter().map(|host| {
            Box::pin(async move {
                match host.connection().await {
                    Ok(_) => Ok(host),
                    Err(error) => Err(error::failed(operation, &host.address, &error)),
                }
            })
        });
        let (host, _) = future::select_ok(reached).await?;
        Ok(host)
    }

    /// Where a cluster's server sends a request. Only in a cluster is it followed: a server that
    /// stands alone has nowhere to send us.
    pub(crate) fn redirection(&self, from: &Host, refusal: &RedisError) -> Option<Address> {
        let Topology::Cluster { .. } = self.config().topology() else { return None };
        let (place, _slot) = refusal.redirect_node()?;
        let (host, port) = place.rsplit_once(':')?;
        let port = port.parse().ok()?;
        match (host, &from.address) {
            // A server that does not know its own name means the one by which it was reached.
            ("", Address::Tcp { host, .. }) => Some(Address::tcp(host.as_str(), port)),
            (host, _) => Some(Address::tcp(host.trim_matches(['[', ']']), port)),
        }
    }
}
