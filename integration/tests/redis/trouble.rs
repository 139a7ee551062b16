//! A Redis that stands still, and connections that break: in the middle of a request, in the middle
//! of an answer, at the door, or without a word.

use std::sync::Arc;

use futures::StreamExt;
use leasehold::{FencingToken, LeaseLock, connect};
use leasehold_integration::{Pair, rounds, timing, within};
use leasehold_testkit::{
    Direction,
    redis::{RedisOptions, RedisServer},
};
use tokio::time;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_for_three_leases_leaves_no_two_leaders_and_then_one() {
    const LEASES: usize = 16;
    const ROUNDS: usize = 8;

    let server = server();
    let mut pairs = Vec::new();
    for number in 0..LEASES {
        pairs.push(pair(&server, &format!("still-{number}")).await);
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
        // Wait three lease durations: the first term must have expired before the server returns.
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
            pair.election.assert_exclusive();
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
    const LEASES: usize = 16;
    const ROUNDS: usize = 3;

    let server = Arc::new(server());
    rounds(LEASES * ROUNDS, LEASES, |lease, rounds| {
        let server = server.clone();
        async move {
            let pair = pair(&server, &format!("refused-{lease}")).await;
            for _ in 0..rounds {
                let token = pair.give_to_the_linked().await;
                pair.link.refuse();
                pair.link.reset();
                pair.direct.leads_after(token).await;
                pair.linked.knows_nothing().await;
                pair.link.heal();
                pair.linked.knows_the_leader().await;
                pair.election.assert_exclusive();
            }
            pair.end().await;
        }
    })
    .await;
}

/// So it is where a firewall forgets a connection, or a host is gone and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_end_is_not_told_is_replaced() {
    let server = server();
    let pair = pair(&server, "half-open").await;
    let link = &pair.link;
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
        pair.election.assert_exclusive();
    }
    pair.end().await;
}

/// At each fourth byte of what a candidate says and hears: each lease has some of them.
async fn cuts(name: &'static str, direction: Direction) {
    const LEASES: usize = 40;
    const CUTS: usize = 400;

    let server = Arc::new(server());
    rounds(CUTS, LEASES, |lease, cuts| {
        let server = server.clone();
        async move {
            let pair = pair(&server, &format!("{name}-{lease}")).await;
            for number in 0..cuts {
                let bytes = 4 * (lease + number * LEASES) as u64;
                cut(&pair, &server.url(&format!("{name}-{lease}")), direction, bytes).await;
            }
            pair.election.assert_exclusive();
            pair.end().await;
        }
    })
    .await;
}

async fn cut(pair: &Pair, url: &str, direction: Direction, bytes: u64) {
    // Of a renewal; or of nothing, where its lease has lapsed before, on processors that are busy.
    let token = pair.give_to_the_linked().await;
    let connections = pair.link.accepted();
    pair.link.cut_after(direction, bytes);
    tokio::select! {
        () = writes_until(url, || pair.link.accepted() > connections) => {}
        _ = pair.direct.leads_after(token) => {}
    }

    // Of a release and what comes after it, and of an acquisition.
    for _ in 0..2 {
        let (leader, token) = pair.leader(FencingToken::ZERO).await;
        pair.link.cut_after(direction, bytes);
        leader.resign();
        pair.leader(token).await;
        pair.linked.knows_the_leader().await;
    }
    pair.link.heal();
    assert!(pair.linked.is_alive());
}

/// Two candidates of this lease at the server.
async fn pair(server: &RedisServer, lease: &str) -> Pair {
    Pair::start(server.address(), |address| server.url_through(address, lease), timing()).await
}

fn server() -> RedisServer {
    RedisOptions::new().own().start().unwrap_or_else(|error| panic!("{error}"))
}

/// Looks after each write of the lease whether it has come to that.
async fn writes_until(url: &str, come: impl Fn() -> bool + Send + Sync) {
    let mut writes = connect(url).await.unwrap().watch();
    within("a new connection", "", async {
        while !come() {
            writes.next().await.unwrap().unwrap();
        }
    })
    .await;
}
