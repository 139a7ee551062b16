use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use super::{
    RedisOptions, RedisServer, ServerError, config::MASTER, credentials::Credentials,
    options::Watched, url,
};
use crate::server::{
    url::{before_the_host, encoded, hosts, question},
    wait,
};

const SENTINELS: usize = 3;

type Fields = HashMap<String, String>;

/// A master and its replica, watched by three sentinels, two of which have to agree that it is down.
///
/// They find it down after half a second, and promote the replica within seconds.
#[derive(Debug)]
pub struct RedisSentinels {
    servers: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
}

impl RedisSentinels {
    /// One without options, ready: the replica has what the master has, and the sentinels know both
    /// of them and each other.
    ///
    /// # Errors
    /// As [`RedisOptions::start`], or if they do not find each other.
    pub fn start() -> Result<Self, ServerError> {
        Self::with(RedisOptions::new(), None)
    }

    /// One whose servers have these options. The sentinels speak TLS if the servers do, and ask for
    /// this password, if any.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with(
        options: RedisOptions,
        password_of_sentinels: Option<&str>,
    ) -> Result<Self, ServerError> {
        let master = options.clone().own().start()?;
        let replica = options.clone().replica_of(master.address()).start()?;
        let late = |waited_for: &str, servers: &[&RedisServer]| ServerError::Late {
            waited_for: waited_for.to_owned(),
            log: servers.iter().map(|server| server.log()).collect(),
        };
        // Sentinels ask a master for its replicas when they meet it, and then every ten seconds.
        wait::until(|| replica.has_caught_up_with(&master).then_some(()))
            .ok_or_else(|| late("the replica did not follow", &[&master, &replica]))?;

        let watched = Watched { master: master.address(), credentials: options.credentials };
        let mut sentinel = RedisOptions { tls: options.tls, ..RedisOptions::new().own() };
        sentinel.sentinel_of = Some(watched);
        if let Some(password) = password_of_sentinels {
            sentinel.credentials = Credentials::Password(password.to_owned());
        }
        let sentinels: Vec<RedisServer> =
            (0..SENTINELS).map(|_| sentinel.clone().start()).collect::<Result<_, _>>()?;
        for sentinel in &sentinels {
            // Unset, they ping as seldom as they wait for an answer, and so find a master down that
            // they have only just met; and they take 25 s to settle after a failover. What a replica
            // has said counts for five pings: with fewer answers than that none is good enough.
            let quick = ["ping-period", "200", "info-period", "200", "publish-period", "250"];
            sentinel.try_command(&[&["SENTINEL", "DEBUG"], &quick[..]].concat())?;
        }
        let all = Self { servers: [master, replica], sentinels };
        wait::until(|| all.know_each_other().then_some(())).ok_or_else(|| {
            late("the sentinels did not find each other", &all.sentinels.iter().collect::<Vec<_>>())
        })?;
        Ok(all)
    }

    /// Whether every sentinel knows the others, the master, and a replica that follows it: whether
    /// another failover would succeed.
    pub fn know_each_other(&self) -> bool {
        let others = (SENTINELS - 1).to_string();
        self.sentinels.iter().all(|sentinel| {
            let master: Fields = sentinel.ask(&["SENTINEL", "MASTER", MASTER]).unwrap_or_default();
            let replicas: Vec<Fields> =
                sentinel.ask(&["SENTINEL", "REPLICAS", MASTER]).unwrap_or_default();
            let follows = |replica: &Fields| {
                replica.get("master-link-status").is_some_and(|status| status == "ok")
            };
            master.get("flags").is_some_and(|flags| flags == "master")
                && master.get("num-other-sentinels") == Some(&others)
                && matches!(&replicas[..], [replica] if follows(replica))
        })
    }

    /// Waits until they know each other.
    ///
    /// # Panics
    /// If they do not within a minute, as when one of them is down.
    pub fn settle(&self) {
        wait::until(|| self.know_each_other().then_some(()))
            .expect("the sentinels know each other");
    }

    /// The URL of a lease as `leasehold::connect` takes it: it names all sentinels.
    pub fn url(&self, lease: &str) -> String {
        self.url_through(self.sentinels.iter().map(RedisServer::address), lease)
    }

    /// The same, with other addresses that lead to the sentinels.
    pub fn url_through(
        &self,
        addresses: impl IntoIterator<Item = SocketAddr>,
        lease: &str,
    ) -> String {
        let (server, sentinel) = (&self.servers[0], &self.sentinels[0]);
        let (scheme, mut query) =
            url::with_tls(server.options(), server.run_directory(), "+sentinel");
        if let Some((_, password)) = sentinel.options().credentials.of_a_candidate() {
            query.push(format!("sentinel_password={}", encoded(password)));
        }
        let login = before_the_host(server.options().credentials.of_a_candidate());
        let (hosts, query) = (hosts(addresses), question(&query));
        format!("{scheme}://{login}{hosts}/{MASTER}{query}#{}", encoded(lease))
    }

    /// The server that the first sentinel that answers calls the master.
    ///
    /// # Panics
    /// If no sentinel answers.
    pub fn master(&self) -> &RedisServer {
        let named = self.sentinels.iter().find_map(master_by).expect("a sentinel answers");
        self.server_at(named).expect("a server of these")
    }

    /// The other one.
    ///
    /// # Panics
    /// As [`Self::master`].
    pub fn replica(&self) -> &RedisServer {
        let master = self.master().address();
        self.servers.iter().find(|server| server.address() != master).expect("there are two")
    }

    /// Waits until another server than this one is the master: all sentinels that answer name it, and
    /// it says so itself.
    ///
    /// # Panics
    /// If that does not happen within a minute.
    pub fn successor_of(&self, old: &RedisServer) -> &RedisServer {
        let promoted = wait::until(|| {
            let mut named = self.sentinels.iter().filter_map(master_by);
            let new = named.next().filter(|new| *new != old.address())?;
            let server = self.server_at(new).filter(|_| named.all(|other| other == new))?;
            info(server)?.contains("role:master").then_some(server)
        });
        promoted.expect("the replica is promoted")
    }

    /// One of the three sentinels.
    ///
    /// # Panics
    /// If the number is above 2.
    pub fn sentinel(&self, number: usize) -> &RedisServer {
        &self.sentinels[number]
    }

    /// Every password: what must not be found in a log.
    pub fn secrets(&self) -> Vec<String> {
        [&self.servers[0], &self.sentinels[0]].into_iter().flat_map(RedisServer::secrets).collect()
    }

    fn server_at(&self, address: SocketAddr) -> Option<&RedisServer> {
        self.servers.iter().find(|server| server.address() == address)
    }
}

fn info(server: &RedisServer) -> Option<String> {
    server.ask(&["INFO", "replication"]).ok()
}

fn master_by(sentinel: &RedisServer) -> Option<SocketAddr> {
    let asked = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]);
    let (ip, port): (String, u16) = asked.ok()?;
    Some((ip.parse::<IpAddr>().ok()?, port).into())
}
