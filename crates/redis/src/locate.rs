//! Which server keeps a lease: the one there is, the master that the sentinels name, or the one
//! that has the lease's slot of a cluster.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt, future, stream::FuturesUnordered};
use leasehold_core::Error;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};

use crate::{
    Redis,
    client::within,
    config::{Address, Topology},
    connection::Host,
    error,
};

impl Redis {
    /// The server that keeps the lease, or, in a cluster, one that knows which does.
    /// `unfit` are those that have just said that they cannot serve it.
    pub(crate) async fn locate(
        &self,
        operation: &str,
        unfit: &[Address],
    ) -> Result<Arc<Host>, Error> {
        match self.config().topology() {
            Topology::Single(address) => self.server(address.clone()),
            Topology::Sentinel { sentinels, master } => {
                self.server(self.ask_sentinels(sentinels, master, operation).await?)
            }
            Topology::Cluster { seeds } => self.any_server(seeds, unfit, operation).await,
        }
    }

    /// What most of the sentinels say, of all that were named: one that is cut off with an old master
    /// would send us to it, while the others have promoted another.
    async fn ask_sentinels(
        &self,
        sentinels: &[Address],
        master: &str,
        operation: &str,
    ) -> Result<Address, Error> {
        let asked = sentinels.iter().map(|sentinel| {
            within(operation, async move {
                let host = self.sentinel(sentinel.clone())?;
                let answer = ask_sentinel(&host, master).await;
                match answer.map_err(|error| {
                    error::failed(operation, format!("sentinel {sentinel}"), &error)
                })? {
                    Some(address) => Ok(address),
                    None => Err(error::unknown_master(operation, sentinel, master)),
                }
            })
        });
        let mut asked: FuturesUnordered<_> = asked.collect();
        let mut votes: HashMap<Address, usize> = HashMap::new();
        let mut trouble = None;
        while let Some(answer) = asked.next().await {
            match answer {
                Ok(address) => {
                    let count = votes.entry(address.clone()).or_default();
                    *count += 1;
                    if *count > sentinels.len() / 2 {
                        return Ok(address);
                    }
                }
                Err(error) => trouble = Some(error),
            }
        }
        // Where none of them said anything, the trouble is all there is to tell.
        Err(match trouble {
            Some(trouble) if votes.is_empty() => trouble,
            _ => error::no_majority(operation, sentinels.len(), &votes),
        })
    }

    /// Whichever of a cluster's servers is reached first: it says where the lease is.
    async fn any_server(
        &self,
        seeds: &[Address],
        unfit: &[Address],
        operation: &str,
    ) -> Result<Arc<Host>, Error> {
        for seed in seeds {
            self.server(seed.clone())?;
        }
        let mut known = self.servers();
        known.retain(|host| !unfit.contains(&host.address));
        if known.is_empty() {
            return Err(error::sent_around(operation, unfit.len()));
        }
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

    /// Whether another server of a cluster may serve a lease that this one does not.
    pub(crate) fn is_served_elsewhere(&self, refusal: &RedisError) -> bool {
        let Topology::Cluster { .. } = self.config().topology() else { return false };
        matches!(
            refusal.kind(),
            ErrorKind::Server(
                ServerErrorKind::ClusterDown
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ReadOnly
            )
        )
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
            ("", Address::Tcp(from)) => Some(Address::tcp(from.host.as_str(), port)),
            (host, _) => Some(Address::tcp(host.trim_matches(['[', ']']), port)),
        }
    }
}

async fn ask_sentinel(sentinel: &Host, master: &str) -> RedisResult<Option<Address>> {
    let connection = sentinel.connection().await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let answer = connection.ask(&question).await?;
    let named: Option<(String, u16)> = redis::from_redis_value(answer)?;
    Ok(named.map(|(host, port)| Address::tcp(host, port)))
}
