use std::net::SocketAddr;

use ::redis::RedisError;

use super::{RedisOptions, RedisServer, ServerError, url};
use crate::server::{
    url::{before_the_host, encoded, hosts, question},
    wait,
};

const SLOTS: u16 = 16_384;
const NODES: u16 = 3;

/// A Redis Cluster of three masters, each with a third of the slots.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// One without options, ready: every node says so.
    ///
    /// # Errors
    /// As [`RedisOptions::start`], or if the nodes do not find each other.
    pub fn start() -> Result<Self, ServerError> {
        Self::with(RedisOptions::new())
    }

    /// One whose nodes have these options.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(options: RedisOptions) -> Result<Self, ServerError> {
        let options = RedisOptions { cluster: true, ..options.own() };
        let nodes = (0..NODES).map(|_| options.clone().start()).collect::<Result<_, _>>()?;
        let cluster = Self { nodes };
        cluster.assign_slots()?;
        match wait::until(|| cluster.is_ready().then_some(())) {
            Some(()) => Ok(cluster),
            None => Err(ServerError::Late {
                waited_for: "the nodes did not become a cluster".to_owned(),
                log: cluster.nodes.iter().map(RedisServer::log).collect(),
            }),
        }
    }

    fn assign_slots(&self) -> Result<(), RedisError> {
        for (node, number) in self.nodes.iter().zip(0..) {
            let from = SLOTS / NODES * number;
            let to = if number + 1 == NODES { SLOTS - 1 } else { SLOTS / NODES * (number + 1) - 1 };
            node.try_command(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()])?;
            // Different ones from the beginning: else the nodes have to settle that first.
            node.try_command(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            let (port, bus) =
                (node.address().port().to_string(), node.bus().unwrap_or(0).to_string());
            self.nodes[0].try_command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.nodes.iter().all(|node| {
            let info: String = node.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
    }

    /// The URL of a lease in this cluster as `leasehold::connect` takes it: it names all nodes.
    pub fn url(&self, lease: &str) -> String {
        let addresses = self.nodes.iter().map(RedisServer::address);
        self.url_through(addresses, lease)
    }

    /// The same, with these for the first addresses to ask.
    pub fn url_through(
        &self,
        addresses: impl IntoIterator<Item = SocketAddr>,
        lease: &str,
    ) -> String {
        let (options, directory) = (self.nodes[0].options(), self.nodes[0].run_directory());
        let (scheme, query) = url::with_tls(options, directory, "+cluster");
        let login = before_the_host(options.credentials.of_a_candidate());
        let (hosts, query) = (hosts(addresses), question(&query));
        format!("{scheme}://{login}{hosts}{query}#{}", encoded(lease))
    }

    /// One of the three.
    ///
    /// # Panics
    /// If the number is above 2.
    pub fn node(&self, number: usize) -> &RedisServer {
        &self.nodes[number]
    }

    /// The node that has the slot of this lease: the one that does not send away who asks for it.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn node_of(&self, lease: &str) -> &RedisServer {
        let key = format!("leasehold:{lease}");
        let has = |node: &&RedisServer| node.try_command(&["EXISTS", &key]).is_ok();
        self.nodes.iter().find(has).expect("the node of this lease answers")
    }

    /// Every password: what must not be found in a log.
    pub fn secrets(&self) -> Vec<String> {
        self.nodes[0].secrets()
    }
}
