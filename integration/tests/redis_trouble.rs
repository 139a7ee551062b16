//! A Redis that stands still, and connections that break: in the middle of a request, in the middle
//! of an answer, at the door, or without a word.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::{net::SocketAddr, sync::Arc};

use futures::StreamExt;
use leasehold::{FencingToken, LeaseLock, connect};
use leasehold_integration::{
    electors::{Contender, Lease, within},
    timing,
};
use leasehold_testkit::{
    Direction, Proxy,
    redis::{RedisOptions, RedisServer},
};
use tokio::{task::JoinSet, time};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_for_three_leases_leaves_no_two_leaders_and_then_one() {
    const LEASES: usize = 16;
    const ROUNDS: usize = 8;

    let server = server();
    let mut pairs = Vec::new();
    for number in 0..LEASES {
        pairs.push(Pair::start(&server, server.address(), &format!("still-{number}")).await);
    }
    for _ in 0..ROUNDS {
        let mut tokens = Vec::new();
        for pair in &pairs {
            tokens.push(pair.leader(FencingToken::ZERO).await.1);
            for candidate in pair.candidates() {
                candidate.knows_the_leader().await;
            }
        }
        server.freeze();
        time::sleep(3 * timing().lease_duration()).await;
        for candidate in pairs.iter().flat_map(Pair::candidates) {
            candidate.knows_nothing().await;
            assert!(candidate.is_alive());
        }
        server.thaw();
        for (pair, token) in pairs.iter().zip(tokens) {
            pair.leader(token).await;
            for candidate in pair.candidates() {
                candidate.knows_the_leader().await;
            }
            pair.lease.assert_exclusive();
        }
    }
    for pair in pairs {
        pair.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_the_middle_of_a_request_costs_no_more_than_a_term() {
    cuts("request", Direction::Requests).await;
}

/// It was carried out, and only a part of the answer comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_the_middle_of_an_answer_costs_no_more_than_a_term() {
    cuts("answer", Direction::Replies).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_at_the_door_is_followed_and_comes_back() {
    let server = Arc::new(server());
    let mut leases = JoinSet::new();
    for number in 0..16 {
        leases.spawn(refused(server.clone(), format!("refused-{number}")));
    }
    leases.join_all().await;
}

async fn refused(server: Arc<RedisServer>, name: String) {
    let (link, pair) = Pair::with_a_link(&server, &name).await;
    for _ in 0..3 {
        let token = pair.give_to_the_linked().await;
        link.refuse();
        link.reset();
        pair.direct.leads_after(token).await;
        pair.linked.knows_nothing().await;
        link.heal();
        pair.linked.knows_the_leader().await;
        pair.lease.assert_exclusive();
    }
    pair.end().await;
}

/// So it is where a firewall forgets a connection, or a host is gone and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_end_is_not_told_is_replaced() {
    let server = server();
    let (link, pair) = Pair::with_a_link(&server, "half-open").await;
    for _ in 0..10 {
        pair.give_to_the_linked().await;
        link.half_open();
        let connections = link.accepted();
        for kind in ["normal", "pubsub"] {
            server.command(&["CLIENT", "KILL", "TYPE", kind]);
        }
        writes_until(&server.url("half-open"), || link.accepted() > connections).await;
        pair.linked.knows_the_leader().await;
        link.heal();
        pair.lease.assert_exclusive();
    }
    pair.end().await;
}

/// At each fourth byte of what a candidate says and hears: each lease has some of them.
async fn cuts(name: &str, direction: Direction) {
    const LEASES: u64 = 40;
    const BYTES: u64 = 1600;

    let server = Arc::new(server());
    let mut leases = JoinSet::new();
    for number in 0..LEASES {
        let bytes = (4 * number..BYTES).step_by(4 * LEASES as usize);
        leases.spawn(cut(server.clone(), format!("{name}-{number}"), direction, bytes));
    }
    leases.join_all().await;
}

async fn cut(
    server: Arc<RedisServer>,
    name: String,
    direction: Direction,
    bytes: impl Iterator<Item = u64>,
) {
    let (link, pair) = Pair::with_a_link(&server, &name).await;
    for bytes in bytes {
        // Of a renewal.
        pair.give_to_the_linked().await;
        let connections = link.accepted();
        link.cut_after(direction, bytes);
        writes_until(&server.url(&name), || link.accepted() > connections).await;

        // Of a release and what comes after it, and of an acquisition.
        for _ in 0..2 {
            let (leader, token) = pair.leader(FencingToken::ZERO).await;
            link.cut_after(direction, bytes);
            leader.resign();
            pair.leader(token).await;
            pair.linked.knows_the_leader().await;
        }
        link.heal();
        assert!(pair.linked.is_alive());
    }
    pair.lease.assert_exclusive();
    pair.end().await;
}

/// Two candidates of one lease.
struct Pair {
    lease: Lease,
    /// Its way to the server can be disturbed.
    linked: Contender,
    direct: Contender,
}

impl Pair {
    async fn start(server: &RedisServer, link: SocketAddr, name: &str) -> Self {
        let url = server.url(name);
        let lease = Lease::create(&url).await;
        let linked = lease.contend("linked", &server.url_through(link, name), timing()).await;
        linked.leads().await;
        let direct = lease.contend("direct", &url, timing()).await;
        direct.knows_the_leader().await;
        Self { lease, linked, direct }
    }

    async fn with_a_link(server: &RedisServer, name: &str) -> (Proxy, Self) {
        let link = Proxy::start(server.address()).unwrap();
        let pair = Self::start(server, link.address(), name).await;
        (link, pair)
    }

    fn candidates(&self) -> [&Contender; 2] {
        [&self.linked, &self.direct]
    }

    /// Who leads in a later term than that of this token.
    async fn leader(&self, earlier: FencingToken) -> (&Contender, FencingToken) {
        tokio::select! {
            token = self.linked.leads_after(earlier) => (&self.linked, token),
            token = self.direct.leads_after(earlier) => (&self.direct, token),
        }
    }

    /// Has the direct one resign until the other leads.
    async fn give_to_the_linked(&self) -> FencingToken {
        let mut earlier = FencingToken::ZERO;
        loop {
            let (leader, token) = self.leader(earlier).await;
            if std::ptr::eq(leader, &self.linked) {
                self.direct.knows_the_leader().await;
                return token;
            }
            earlier = token;
            leader.resign();
        }
    }

    async fn end(self) {
        self.linked.end().await;
        self.direct.end().await;
    }
}

fn server() -> RedisServer {
    RedisOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
}

/// Looks after each write of the lease whether it has come to that.
async fn writes_until(url: &str, come: impl Fn() -> bool + Send + Sync) {
    let mut writes = connect(url).await.unwrap().watch();
    within("a new connection", async {
        while !come() {
            writes.next().await.unwrap().unwrap();
        }
    })
    .await;
}
