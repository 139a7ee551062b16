//! A link that swallows what is sent: a leader that is cut off from etcd, both ways or one way.

use std::{net::SocketAddr, sync::LazyLock};

use leasehold_integration::cut_off_leaders;
use leasehold_testkit::{
    Direction,
    etcd::{EtcdOptions, EtcdServer},
};
use tokio::task::block_in_place;

static SERVER: LazyLock<EtcdServer> =
    LazyLock::new(|| EtcdOptions::new().own().start().unwrap_or_else(|error| panic!("{error}")));

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_has_stopped_before_its_successor_starts_and_comes_back() {
    cut_off(Direction::Both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_requests_are_lost_has_stopped_before_its_successor_starts() {
    cut_off(Direction::Requests).await;
}

/// Its renewal is carried out, and it is not told.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_replies_are_lost_has_stopped_before_its_successor_starts() {
    cut_off(Direction::Replies).await;
}

async fn cut_off(lost: Direction) {
    let address = block_in_place(|| SERVER.address());
    cut_off_leaders(address, lost, url).await;
}

fn url(address: SocketAddr, name: &str) -> String {
    // Of its own: who watches a prefix is told of all the leases under it.
    format!("{}?prefix={name}%2F", SERVER.url_through(address, name))
}
