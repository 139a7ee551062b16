//! A link that swallows what is sent: a leader that is cut off from the apiserver, both ways or one
//! way.

use leasehold_integration::{Pair, rounds};
use leasehold_testkit::{Direction, kubernetes::Apiserver};
use tokio::task::block_in_place;

use super::timing;

const ROUNDS: usize = 60;
/// How many leases are cut off at once.
const AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_has_stopped_before_its_successor_starts_and_comes_back() {
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
    let server = block_in_place(Apiserver::shared);
    rounds(ROUNDS, AT_ONCE, |lane, rounds| async move {
        for round in 0..rounds {
            let lease = format!("{fault}-{lane}-{round}");
            let url = |address| server.url_through(address, &lease);
            let pair = Pair::start(server.address(), url, timing()).await;
            pair.cut_off(lost).await;
            pair.end().await;
        }
    })
    .await;
}
