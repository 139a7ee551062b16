//! A link that swallows what is sent: a leader that is cut off from etcd, both ways or one way.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::sync::LazyLock;

use leasehold::Timing;
use leasehold_integration::{Pair, rounds};
use leasehold_testkit::{
    Direction,
    etcd::{EtcdOptions, EtcdServer},
};

const ROUNDS: usize = 100;
/// How many leases are cut off at once.
const AT_ONCE: usize = 50;

static SERVER: LazyLock<EtcdServer> =
    LazyLock::new(|| EtcdOptions::new().own().start().unwrap_or_else(|error| panic!("{error}")));

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_has_stopped_before_its_successor_starts_and_follows_it_later() {
    cut_off("both", Direction::Both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_requests_are_lost_has_stopped_before_its_successor_starts() {
    cut_off("requests", Direction::Requests).await;
}

/// Its renewal is carried out, and it is not told.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_replies_are_lost_has_stopped_before_its_successor_starts() {
    cut_off("replies", Direction::Replies).await;
}

async fn cut_off(fault: &'static str, lost: Direction) {
    rounds(ROUNDS, AT_ONCE, |lane, rounds| async move {
        for round in 0..rounds {
            let name = format!("{fault}-{lane}-{round}");
            // Of its own: who watches a prefix is told of all the leases under it.
            let url = |address| format!("{}?prefix={name}%2F", SERVER.url_through(address, &name));
            let pair = Pair::start(SERVER.address(), url, Timing::fast()).await;
            pair.cut_off(lost).await;
            pair.end().await;
        }
    })
    .await;
}
