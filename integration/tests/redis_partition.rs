//! A link that swallows what is sent: a leader that is cut off from Redis, both ways or one way.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::sync::LazyLock;

use leasehold::Timing;
use leasehold_integration::electors::Lease;
use leasehold_testkit::{
    Direction, Proxy,
    redis::{RedisOptions, RedisServer},
};
use tokio::task::JoinSet;

const ROUNDS: usize = 100;
/// How many leases are cut off at once.
const AT_ONCE: usize = 50;

static SERVER: LazyLock<RedisServer> =
    LazyLock::new(|| RedisOptions::new().own().start().unwrap_or_else(|error| panic!("{error}")));

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_has_stopped_before_its_successor_starts_and_follows_it_later() {
    rounds("both", Direction::Both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_requests_are_lost_has_stopped_before_its_successor_starts() {
    rounds("requests", Direction::Requests).await;
}

/// Its renewal is carried out, and it is not told.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_replies_are_lost_has_stopped_before_its_successor_starts() {
    rounds("replies", Direction::Replies).await;
}

async fn rounds(fault: &str, lost: Direction) {
    for begun in (0..ROUNDS).step_by(AT_ONCE) {
        let mut leases = JoinSet::new();
        for number in begun..ROUNDS.min(begun + AT_ONCE) {
            leases.spawn(cut_off(format!("{fault}-{number}"), lost));
        }
        leases.join_all().await;
    }
}

async fn cut_off(name: String, lost: Direction) {
    let link = Proxy::start(SERVER.address()).unwrap();
    let url = SERVER.url(&name);
    let lease = Lease::create(&url).await;
    let timing = Timing::fast();
    let leader = lease.contend("leader", &SERVER.url_through(link.address(), &name), timing).await;
    let token = leader.leads().await;
    let standby = lease.contend("standby", &url, timing).await;
    standby.follows("leader").await;

    link.black_hole(lost);
    assert!(standby.leads().await > token);
    leader.knows_nothing().await;
    assert!(leader.is_alive());

    link.heal();
    leader.follows("standby").await;
    lease.assert_exclusive();
    leader.end().await;
    standby.end().await;
}
