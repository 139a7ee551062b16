//! A member of etcd is cut off from the others, or frozen, while leaders of ours are connected to
//! it. Who knows no other member loses its lease, in time; who knows them all goes to another, and
//! keeps it.

use std::time::Duration;

use futures::future::join_all;
use leasehold::{FencingToken, LeaseLock, Timing, connect};
use leasehold_integration::{Contender, Election};
use leasehold_testkit::etcd::EtcdCluster;
use tokio::{task::block_in_place, time::timeout};

/// As many leaders of ours are connected to that member.
const LEASES: usize = 10;
/// Each member twice.
const ROUNDS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_only_the_member_that_is_cut_off_has_stopped_before_its_successor_starts() {
    only_its_member(EtcdCluster::isolate, EtcdCluster::rejoin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_only_the_member_that_is_frozen_has_stopped_before_its_successor_starts() {
    let freeze = |cluster: &EtcdCluster, member| cluster.member(member).freeze();
    only_its_member(freeze, |cluster, member| cluster.member(member).thaw()).await;
}

async fn only_its_member(strike: fn(&EtcdCluster, usize), mend: fn(&EtcdCluster, usize)) {
    let cluster = cluster();
    for round in 0..ROUNDS {
        let member = round % 3;
        let terms = terms(Timing::fast(), |lease| {
            let name = format!("only-{round}-{lease}");
            [cluster.url_of(member, &name), cluster.url_of((member + 1) % 3, &name)]
        })
        .await;
        block_in_place(|| strike(&cluster, member));
        join_all(terms.iter().map(|term| async {
            term.standby.leads_after(term.token).await;
            term.leader.knows_nothing().await;
        }))
        .await;
        block_in_place(|| mend(&cluster, member));
        join_all(terms.into_iter().map(|term| async {
            // As that member comes back the cluster may elect once more, all leases at once: then
            // either of the two may lead from here on.
            term.leader.knows_the_leader().await;
            term.end().await;
        }))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_all_members_keeps_its_lease_when_its_own_is_cut_off() {
    one_of_all_members(EtcdCluster::isolate, EtcdCluster::rejoin).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_all_members_keeps_its_lease_when_its_own_is_frozen() {
    let freeze = |cluster: &EtcdCluster, member| cluster.member(member).freeze();
    one_of_all_members(freeze, |cluster, member| cluster.member(member).thaw()).await;
}

async fn one_of_all_members(strike: fn(&EtcdCluster, usize), mend: fn(&EtcdCluster, usize)) {
    let cluster = cluster();
    let ms = Duration::from_millis;
    let timing = Timing::new(ms(5_000), ms(4_000), ms(300)).unwrap();
    for round in 0..ROUNDS {
        let member = round % 3;
        // What happens when it leads the others is another test's.
        block_in_place(|| cluster.move_leader((member + 1) % 3));
        let before = transactions(&cluster, member);
        let terms = terms(timing, |lease| {
            let url = beginning_with(&cluster, member, &format!("all-{round}-{lease}"));
            [url.clone(), url]
        })
        .await;
        let asked = transactions(&cluster, member) - before;
        assert!(asked >= LEASES as u64, "they are connected to it: {asked}");

        block_in_place(|| strike(&cluster, member));
        join_all(terms.iter().map(|term| async {
            let struck = term.election.now();
            // Who has not renewed since then does not lead any more.
            let act = term.election.act_after(struck + timing.holder_duration()).await;
            assert_eq!((&*act.name, act.token), ("leader", term.token.number()));
        }))
        .await;
        block_in_place(|| mend(&cluster, member));
        join_all(terms.into_iter().map(Term::end)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_remembers_that_is_cut_off_is_no_answer() {
    let cluster = cluster();
    for member in 0..3 {
        let name = format!("remembered-{member}");
        let election =
            Election::of_a_free_lease(&cluster.url_of(member, &name), Timing::fast()).await;
        let leader = election.stand("leader", &cluster.url_of((member + 1) % 3, &name)).await;
        leader.leads().await;
        let lock = connect(&cluster.url_of(member, &name)).await.unwrap();

        block_in_place(|| cluster.isolate(member));
        let asked = timeout(Timing::fast().lease_duration(), lock.observe());
        if let Ok(Ok(seen)) = asked.await {
            panic!("nobody has confirmed it: {seen:?}");
        }
        block_in_place(|| cluster.rejoin(member));
        leader.end().await;
    }
}

fn cluster() -> EtcdCluster {
    block_in_place(|| EtcdCluster::start().unwrap_or_else(|error| panic!("{error}")))
}

/// The URL of all members, this one first: there its candidates are connected at first.
fn beginning_with(cluster: &EtcdCluster, member: usize, name: &str) -> String {
    let members = [0, 1, 2].map(|next| cluster.member((member + next) % 3).address());
    cluster.url_through(members, name)
}

/// How many this member was asked for.
fn transactions(cluster: &EtcdCluster, member: usize) -> u64 {
    let labels = [("grpc_method", "Txn")];
    let member = cluster.member(member);
    block_in_place(|| member.metric("grpc_server_handled_total", &labels)) as u64
}

/// A term that has begun, and one who stands by.
struct Term {
    election: Election,
    leader: Contender,
    standby: Contender,
    token: FencingToken,
}

/// As many as there are leases, each with URLs for its leader and for its standby.
async fn terms(timing: Timing, urls: impl Fn(usize) -> [String; 2]) -> Vec<Term> {
    join_all((0..LEASES).map(|lease| {
        let [leader, standby] = urls(lease);
        async move {
            let election = Election::of_a_free_lease(&standby, timing).await;
            let both = (("leader", &*leader), ("standby", &*standby));
            let [leader, standby] = election.leader_and_standby(both.0, both.1).await;
            // On a busy machine the other one may lead by now.
            let token = election.give(&standby, &leader).await;
            Term { election, leader, standby, token }
        }
    }))
    .await
}

impl Term {
    async fn end(self) {
        self.election.assert_exclusive();
        self.leader.end().await;
        self.standby.end().await;
    }
}
