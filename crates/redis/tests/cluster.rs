//! A lease of a cluster, whose slot moves from one server to another; and the permissions that the
//! documentation names, which have to be enough for that.

use std::time::Duration;

use futures::StreamExt as _;
use leasehold_core::{
    FencingToken, LeaseLock, Observation, RandomPart, Record, Stamp, Swap, Tenure,
};
use leasehold_redis::{Redis, RedisConfig, RedisLock};
use leasehold_testkit::redis::{RedisCluster, RedisOptions, RedisServer, Value};
use tokio::time;

const LEASE: &str = "jobs";
const KEY: &str = "leasehold:jobs";
const DOCUMENTATION: &str = include_str!("../src/lib.rs");

/// The lease's slot, the server that has it, and another that is to have it.
struct Slot<'a> {
    number: String,
    from: &'a RedisServer,
    to: &'a RedisServer,
}

impl<'a> Slot<'a> {
    fn of(cluster: &'a RedisCluster) -> Self {
        let Value::Int(number) = cluster.node(0).command(&["CLUSTER", "KEYSLOT", KEY]) else {
            panic!("a slot has a number")
        };
        let from = cluster.node_of(LEASE);
        let to = nodes(cluster).find(|node| node.address() != from.address()).unwrap();
        Self { number: number.to_string(), from, to }
    }

    fn set(&self, at: &RedisServer, state: &str, node: &RedisServer) {
        let id = node.text(&["CLUSTER", "MYID"]);
        at.command(&["CLUSTER", "SETSLOT", &self.number, state, &id]);
    }

    fn begin_to_move(&self) {
        self.set(self.to, "IMPORTING", self.from);
        self.set(self.from, "MIGRATING", self.to);
    }

    fn move_its_key(&self) {
        let port = self.to.address().port().to_string();
        let moved = self.from.command(&[
            "MIGRATE",
            "127.0.0.1",
            &port,
            KEY,
            "0",
            "5000",
            "AUTH2",
            "mover",
            "mover",
        ]);
        assert_eq!(moved, Value::Okay);
    }

    fn end_the_move(&self, cluster: &RedisCluster) {
        self.set(self.to, "NODE", self.to);
        for node in nodes(cluster).filter(|node| node.address() != self.to.address()) {
            self.set(node, "NODE", self.to);
        }
    }
}

fn nodes(cluster: &RedisCluster) -> impl Iterator<Item = &RedisServer> {
    (0..3).map(|number| cluster.node(number))
}

/// The rules that the documentation of the crate gives to a user `app`.
fn documented() -> Vec<&'static str> {
    let line =
        DOCUMENTATION.lines().find_map(|line| line.split_once("ACL SETUSER app on >password "));
    line.expect("the documentation names them").1.split(' ').collect()
}

fn allow(server: &RedisServer, rules: &[&str]) {
    server.command(&[&["ACL", "SETUSER", "app", "reset", "on", ">password"], rules].concat());
}

fn lock(url: &str) -> RedisLock {
    let (config, name) = RedisConfig::from_url(url).unwrap();
    Redis::new(config).lock(name)
}

/// Writes that somebody has the lease.
async fn take(lock: &RedisLock, seen: &Observation) -> Observation {
    let record = Record {
        era: seen.era.clone(),
        token: FencingToken::new(seen.version.number() + 1).unwrap(),
        lease_duration: Duration::from_secs(1),
        stamp: Some(Stamp { author: RandomPart::random(), attempt: 1 }),
        tenure: Tenure::Held { holder: "somebody".into() },
    };
    match lock.swap(seen, &record).await.unwrap() {
        Swap::Written(written) => written,
        refused @ Swap::Refused(_) => panic!("{refused:?}"),
    }
}

#[tokio::test]
async fn the_documented_permissions_are_enough_for_all_that_a_lock_does() {
    let server = RedisOptions::new().own().start().unwrap();
    allow(&server, &documented());
    let lock = lock(&format!("redis://app:password@{}#{LEASE}", server.address()));
    let mut watch = lock.watch();
    let seen = watch.next().await.unwrap().unwrap();
    let written = take(&lock, &seen).await;
    assert_eq!(watch.next().await.unwrap().unwrap(), written);
    assert_eq!(lock.observe().await.unwrap(), written);
}

#[tokio::test]
async fn with_asking_they_are_enough_while_a_slot_moves() {
    let cluster = RedisCluster::start().unwrap();
    for node in nodes(&cluster) {
        allow(node, &[&documented()[..], &["+asking"]].concat());
        node.command(&["ACL", "SETUSER", "mover", "on", ">mover", "+@all", "~*"]);
    }
    let lock = lock(&cluster.url(LEASE).replace("://", "://app:password@"));
    let slot = Slot::of(&cluster);
    let absent = lock.observe().await.unwrap();
    let mut written = take(&lock, &absent).await;

    slot.begin_to_move();
    assert_eq!(lock.observe().await.unwrap(), written, "it is still where it was");
    written = take(&lock, &written).await;
    slot.move_its_key();
    // From here on the old server sends each request on to the new one, for this once. That one has
    // a replication id of its own, so what is there is of another era.
    let moved = lock.observe().await.unwrap();
    assert_ne!(moved.era, written.era);
    assert_eq!(
        (&moved.record, moved.version.number()),
        (&written.record, written.version.number())
    );
    assert_eq!(lock.watch().next().await.unwrap().unwrap(), moved);
    written = take(&lock, &moved).await;
    assert_eq!(lock.observe().await.unwrap(), written);

    slot.end_the_move(&cluster);
    assert_eq!(lock.observe().await.unwrap(), written);
    take(&lock, &written).await;
}

#[tokio::test]
async fn each_write_is_one_message_to_each_other_server_of_a_cluster() {
    const WRITES: u64 = 10;
    let cluster = RedisCluster::start().unwrap();
    let sent = || {
        let info = cluster.node_of(LEASE).text(&["CLUSTER", "INFO"]);
        let mut lines = info.lines();
        let sent = lines.find_map(|l| l.strip_prefix("cluster_stats_messages_publish_sent:"));
        sent.map_or(0, |sent| sent.parse::<u64>().unwrap())
    };
    let lock = lock(&cluster.url(LEASE));
    let mut seen = lock.observe().await.unwrap();
    let before = sent();
    for _ in 0..WRITES {
        seen = take(&lock, &seen).await;
    }
    assert_eq!(sent() - before, 2 * WRITES);
}

#[tokio::test]
async fn a_server_that_a_cluster_once_named_is_left_when_nothing_is_there_any_more() {
    let cluster = RedisCluster::with(RedisOptions::new().acl()).unwrap();
    let slot = Slot::of(&cluster);
    let third = nodes(&cluster).map(RedisServer::address);
    let third = third.filter(|node| ![slot.from.address(), slot.to.address()].contains(node));
    // Only one that never keeps the lease is named by us.
    let lock = lock(&cluster.url_through(third, LEASE));
    let clients =
        |server: &RedisServer| server.text(&["CLIENT", "LIST"]).matches("user=leasehold").count();
    lock.observe().await.unwrap();
    assert_eq!((clients(slot.from), clients(slot.to)), (1, 0));

    slot.begin_to_move();
    slot.end_the_move(&cluster);
    lock.observe().await.unwrap();
    assert_eq!(clients(slot.to), 1);
    let left = async {
        while clients(slot.from) > 0 {
            tokio::task::yield_now().await;
        }
    };
    time::timeout(Duration::from_secs(10), left).await.expect("the old server is left");
}
