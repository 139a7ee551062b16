use std::time::{Duration, Instant};

use leasehold_testkit::redis::{RedisServer, Value};

pub(crate) const KEY: &str = "plain";
/// Where it counts its fencing tokens.
pub(crate) const TOKENS: &str = "plain:tokens";

/// So long that no machine is too busy to be seen inside of it.
const LEASE: Duration = Duration::from_secs(30);

/// `SET key who NX PX lease`, as it is often recommended, with a token from a counter beside it.
pub(crate) struct Plain {
    /// When its holder was told that it has it, counted from before it asked.
    asked: Instant,
    token: Value,
}

impl Plain {
    /// # Panics
    /// If somebody has it, as far as the server knows.
    pub(crate) fn of(who: &str, server: &RedisServer) -> Self {
        let asked = Instant::now();
        let lease = LEASE.as_millis().to_string();
        let answer = server.command(&["SET", KEY, who, "NX", "PX", &lease]);
        assert_eq!(answer, Value::Okay, "{who} is given the lease");
        Self { asked, token: server.command(&["INCR", TOKENS]) }
    }

    /// The same lease is given to another while its holder may believe in it, and with the same token.
    pub(crate) fn is_given_away_to(&self, another: &str, server: &RedisServer) {
        let other = Self::of(another, server);
        assert!(self.asked.elapsed() < LEASE, "two have it at once");
        assert_eq!(other.token, self.token, "and no fence can tell them apart");
    }
}
