use std::time::{Duration, Instant};

use leasehold_testkit::etcd::EtcdServer;

const KEY: &str = "plain";

/// So long that no machine is too busy to be seen inside of it.
const LEASE: Duration = Duration::from_secs(60);

/// A key that is written where there is none, and that a lease of etcd's deletes, as it is often
/// recommended; its token is the revision of that.
pub(crate) struct Plain {
    /// When its holder was told that it has it, counted from before it asked.
    asked: Instant,
    token: String,
}

impl Plain {
    /// # Panics
    /// If somebody has it, as far as the server knows.
    pub(crate) fn of(who: &str, server: &EtcdServer) -> Self {
        let asked = Instant::now();
        // One after the other: nobody else asks here.
        assert_eq!(server.etcdctl(&["get", KEY]), "", "{who} is given the lease");
        let granted = server.etcdctl(&["lease", "grant", &LEASE.as_secs().to_string()]);
        let lease = granted.split(' ').nth(1).expect("lease ID granted with TTL");
        server.etcdctl(&["put", KEY, who, &format!("--lease={lease}")]);
        let written = server.etcdctl(&["get", KEY, "--write-out=fields"]);
        let token = written.lines().find_map(|line| line.strip_prefix("\"ModRevision\" : "));
        Self { asked, token: token.expect("it was written").to_owned() }
    }

    /// The same lease is given to another while its holder may believe in it. Whether it also has the
    /// same token, so that no fence can tell them apart.
    pub(crate) fn is_given_away_to(&self, another: &str, server: &EtcdServer) -> bool {
        let other = Self::of(another, server);
        assert!(self.asked.elapsed() < LEASE, "two have it at once");
        other.token == self.token
    }
}
