//! An etcd that loses its majority for three leases: there are never two leaders, everybody says
//! that he does not know, and once the majority is back there is one again.

use futures::future::join_all;
use leasehold::Timing;
use leasehold_integration::{Contender, Election};
use leasehold_testkit::etcd::EtcdCluster;
use tokio::{task::block_in_place, time};

const LEASES: usize = 20;
const ROUNDS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn two_frozen_members_of_three_leave_no_two_leaders_and_then_one() {
    without_two(
        |cluster, two| two.into_iter().for_each(|member| cluster.member(member).freeze()),
        |cluster, two| two.into_iter().for_each(|member| cluster.member(member).thaw()),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_killed_members_of_three_leave_no_two_leaders_and_then_one() {
    without_two(
        |cluster, two| two.into_iter().for_each(|member| cluster.member(member).kill()),
        |cluster, two| cluster.restart(two),
    )
    .await;
}

async fn without_two(strike: fn(&EtcdCluster, [usize; 2]), mend: fn(&EtcdCluster, [usize; 2])) {
    let timing = Timing::fast();
    let cluster = block_in_place(|| EtcdCluster::start().unwrap_or_else(|error| panic!("{error}")));
    let leases = join_all((0..LEASES).map(|number| {
        let url = cluster.url(&format!("lease-{number}"));
        async move {
            let election = Election::of_a_free_lease(&url, timing).await;
            let both = election.leader_and_standby(("a", &url), ("b", &url)).await;
            (election, both)
        }
    }))
    .await;

    for round in 0..ROUNDS {
        let tokens = join_all(leases.iter().map(led)).await;
        let two = [round % 3, (round + 1) % 3];
        block_in_place(|| strike(&cluster, two));
        // Wait three lease durations: the first term must have expired before the quorum returns.
        time::sleep(3 * timing.lease_duration()).await;
        for candidate in leases.iter().flat_map(|(_, both)| both) {
            candidate.knows_nothing().await;
            assert!(candidate.is_alive());
        }
        block_in_place(|| mend(&cluster, two));
        for (token, before) in join_all(leases.iter().map(led)).await.into_iter().zip(tokens) {
            assert!(token > before, "{token} after {before}");
        }
        for (election, _) in &leases {
            election.assert_exclusive();
        }
    }
    for candidate in leases.into_iter().flat_map(|(_, both)| both) {
        candidate.end().await;
    }
}

/// The token of the present term, once both know of it.
async fn led((election, both): &(Election, [Contender; 2])) -> u64 {
    for candidate in both {
        candidate.knows_the_leader().await;
    }
    election.act_after(election.now()).await.token
}
