//! An apiserver that dies, stands still or answers late, and connections that swallow everything.

use std::time::Instant;

use futures::future::join_all;
use leasehold_integration::{Election, Pair};
use leasehold_testkit::{
    Direction, Proxy,
    kubernetes::{Apiserver, ApiserverOptions},
};
use tokio::{task::block_in_place, time};

use super::timing;

const LEASES: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_started_again_leaves_no_two_leaders_and_then_one() {
    without_the_server(2, Apiserver::kill, Apiserver::restart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_for_three_leases_leaves_no_two_leaders_and_then_one() {
    without_the_server(4, Apiserver::freeze, Apiserver::thaw).await;
}

async fn without_the_server(rounds: usize, strike: fn(&Apiserver), mend: fn(&Apiserver)) {
    let server = block_in_place(|| ApiserverOptions::new().own().start().unwrap());
    let pairs = join_all((0..LEASES).map(|number| {
        let (server, lease) = (&server, format!("lease-{number}"));
        let url = move |address| server.url_through(address, &lease);
        Pair::start(server.address(), url, timing())
    }))
    .await;

    for _ in 0..rounds {
        let strike = || block_in_place(|| strike(&server));
        Pair::without_the_store(&pairs, strike, |()| block_in_place(|| mend(&server))).await;
    }
    for pair in pairs {
        pair.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_answered_late_leads_on_and_one_that_is_answered_too_late_has_stopped() {
    let server = block_in_place(|| Apiserver::shared().new_namespace());
    let url = |address| server.url_through(address, "jobs");
    let pair = Pair::start(server.address(), url, timing()).await;
    let token = pair.give_to_the_linked().await;

    pair.link.delay(Direction::Replies, timing().call_timeout() / 2);
    let act = pair.election.act_after(pair.election.now() + 3 * timing().lease_duration()).await;
    assert_eq!((act.name.as_str(), act.token), ("linked", token.number()), "in one term");

    // Every renewal is carried out, and none is known of in time.
    pair.link.delay(Direction::Replies, timing().lease_duration());
    pair.direct.leads_after(token).await;
    assert!(pair.linked.is_alive());
    pair.link.heal();
    pair.linked.follows(pair.direct.name()).await;
    pair.election.hand_over(&pair.direct, &pair.linked).await;
    pair.election.assert_exclusive();
    pair.end().await;
}

/// So it is where a firewall forgets connections: those that are open swallow everything, without a
/// word, and new ones work.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_only_swallowing_connections_makes_new_ones_and_keeps_its_lease() {
    let server = block_in_place(|| Apiserver::shared().new_namespace());
    let ways = [(); 2].map(|()| Proxy::start(server.address()).unwrap());
    let front = Proxy::start(ways[0].address()).unwrap();
    let election = Election::of_a_free_lease(&server.url("jobs"), timing()).await;
    let url = server.url_through(front.address(), "jobs");
    let [leader, standby] = election.leader_and_standby(("a", &url), ("b", &url)).await;
    let token = leader.leads().await;

    for round in 0..2 {
        front.set_target(ways[1 - round % 2].address());
        ways[round % 2].black_hole(Direction::Both);
        let act = election.act_after(election.now() + 3 * timing().lease_duration()).await;
        assert_eq!((act.name.as_str(), act.token), ("a", token.number()), "in one term");
        ways[round % 2].heal();
    }
    // Both are told at once again.
    let resigned = Instant::now();
    election.hand_over(&leader, &standby).await;
    let took = resigned.elapsed();
    // A standby that is not told looks when the lease may have expired.
    assert!(took < timing().renew_deadline(), "not told: {took:?}");
    election.assert_exclusive();
    leader.end().await;
    standby.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_swallows_everything_for_ten_leases_costs_no_more_than_a_term() {
    let server = block_in_place(|| Apiserver::shared().new_namespace());
    let url = |address| server.url_through(address, "jobs");
    let pair = Pair::start(server.address(), url, timing()).await;
    let token = pair.give_to_the_linked().await;

    pair.link.black_hole(Direction::Both);
    pair.direct.leads_after(token).await;
    // No event to await: nothing passes the link for ten lease durations of the candidates' clocks.
    time::sleep(10 * timing().lease_duration()).await;
    pair.linked.knows_nothing().await;
    assert!(pair.linked.is_alive());
    pair.link.heal();
    pair.linked.follows(pair.direct.name()).await;
    pair.election.hand_over(&pair.direct, &pair.linked).await;
    pair.election.assert_exclusive();
    pair.end().await;
}
