use leasehold_testkit::{
    Direction, Proxy,
    redis::{RedisServer, Value},
};

use super::own_server;

/// A master and a replica, a link between them that can be cut, and an address at which whoever is
/// the master can be reached.
pub(crate) struct Pair {
    master: RedisServer,
    replica: RedisServer,
    link: Proxy,
    door: Proxy,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let (master, replica) = (own_server(), own_server());
        let link = Proxy::start(master.address()).unwrap();
        let door = Proxy::start(master.address()).unwrap();
        let pair = Self { master, replica, link, door };
        pair.follow();
        pair
    }

    pub(crate) fn master(&self) -> &RedisServer {
        &self.master
    }

    pub(crate) fn replica(&self) -> &RedisServer {
        &self.replica
    }

    pub(crate) fn url(&self, lease: &str) -> String {
        self.master.url_through(self.door.address(), lease)
    }

    /// Waits until the replica has all that the master has.
    pub(crate) fn catch_up(&self) {
        self.replica.catch_up_with(&self.master);
    }

    /// From now on the replica hears nothing any more, and does not know.
    pub(crate) fn stall(&self) {
        self.link.black_hole(Direction::Both);
    }

    /// Kills the master. The replica becomes it, with what it has.
    pub(crate) fn promote(&self) {
        self.master.kill();
        self.replica.command(&["REPLICAOF", "NO", "ONE"]);
        self.door.set_target(self.replica.address());
        self.door.reset();
    }

    /// After the promotion, the old master comes back, with nothing, and follows the new one.
    pub(crate) fn swap_roles(&mut self) {
        std::mem::swap(&mut self.master, &mut self.replica);
        self.replica.restart();
        self.link.reset();
        self.link.set_target(self.master.address());
        self.link.heal();
        self.follow();
    }

    /// The version at the master, and at the replica: 0 where there is none.
    pub(crate) fn versions(&self, key: &str) -> (u64, u64) {
        let version = |server: &RedisServer| match server.command(&["HGET", key, "version"]) {
            Value::BulkString(digits) => str::from_utf8(&digits).unwrap().parse().unwrap(),
            Value::Nil => 0,
            other => panic!("no version: {other:?}"),
        };
        (version(&self.master), version(&self.replica))
    }

    fn follow(&self) {
        let (host, port) = (self.link.address().ip().to_string(), self.link.address().port());
        self.replica.command(&["REPLICAOF", &host, &port.to_string()]);
    }
}
