use std::slice;

use anyhow::Result;
use leasehold_testkit::etcd::{EtcdCluster, EtcdOptions, EtcdServer, ServerError};

use super::{kind::Host, without_secret};

/// An etcd that is started for a run, and ends with it. What it confirms is on the disk, as in
/// production.
#[derive(Debug)]
pub enum Etcd {
    /// One member.
    Single(EtcdServer),
    /// Three members, all on this host.
    Cluster(EtcdCluster),
}

impl Etcd {
    /// Starts one member; may block.
    ///
    /// # Errors
    /// There is no etcd to be had on this machine: the error says how to get one.
    pub fn single() -> Result<Self, ServerError> {
        Ok(Self::Single(Self::options().start()?))
    }

    /// Starts three members; may block.
    ///
    /// # Errors
    /// As [`Self::single`].
    pub fn cluster() -> Result<Self, ServerError> {
        Ok(Self::Cluster(EtcdCluster::straight(Self::options())?))
    }

    fn options() -> EtcdOptions {
        EtcdOptions::new().own().synced()
    }

    /// Its members.
    pub fn members(&self) -> Vec<&EtcdServer> {
        match self {
            Self::Single(server) => slice::from_ref(server).iter().collect(),
            Self::Cluster(cluster) => (0..3).map(|number| cluster.member(number)).collect(),
        }
    }

    /// The URL of a lease, which names all members.
    pub fn url(&self, lease: &str) -> String {
        match self {
            Self::Single(server) => server.url(lease),
            Self::Cluster(cluster) => cluster.url(lease),
        }
    }
}

pub(super) fn start() -> Result<Box<dyn Host>> {
    Ok(Box::new(Etcd::cluster()?))
}

pub(super) fn start_single() -> Result<Box<dyn Host>> {
    Ok(Box::new(Etcd::single()?))
}

impl Host for Etcd {
    /// Each lease has a prefix to itself: a candidate is woken by all that happens below its own.
    fn url(&self, lease: &str) -> Result<String> {
        let url = Self::url(self, lease);
        let joint = if url.contains('?') { '&' } else { '?' };
        Ok(format!("{url}{joint}prefix=leasehold/{lease}/"))
    }

    fn describe(&self) -> String {
        let members = self.members();
        let words = ["endpoint", "status", "--write-out=json"];
        let status = members.first().and_then(|member| member.try_etcdctl(&words).ok());
        let status = status.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        let version = status.and_then(|all| Some(all[0]["Status"]["version"].as_str()?.to_owned()));
        let place = without_secret(&Self::url(self, "NAME"));
        match version {
            Some(version) => format!("{place}, version {version}, on a disk that is synced"),
            None => place,
        }
    }

    fn may_restart(&self) -> Result<(), String> {
        Ok(())
    }

    /// All members at once.
    fn restart(&self) {
        match self {
            Self::Single(server) => server.restart(),
            Self::Cluster(cluster) => {
                cluster.restart(0..3);
                // Ready means that each answers; it can write when they agree on a leader.
                cluster.leader();
            }
        }
    }

    /// The messages of clients, on all members.
    fn requests(&self) -> Option<f64> {
        let members = self.members();
        let received =
            members.iter().map(|member| member.metric("grpc_server_msg_received_total", &[]));
        Some(received.sum())
    }
}
