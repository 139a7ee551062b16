//! Members of a cluster, and the links between them.

use std::time::Instant;

use leasehold_testkit::{
    Direction,
    etcd::{EtcdCluster, EtcdOptions},
};

/// Asks for what the whole cluster has to agree on.
const PUT: [&str; 4] = ["put", "key", "value", "--command-timeout=500ms"];

#[test]
fn a_cluster_is_ready_on_every_member() {
    for options in [EtcdOptions::new(), EtcdOptions::new().client_certificates().auth()] {
        let cluster = EtcdCluster::with(options).unwrap();
        cluster.member(0).etcdctl(&["put", "key", "value"]);
        for number in 0..3 {
            let said = cluster.member(number).etcdctl(&["get", "key", "--print-value-only"]);
            assert_eq!(said, "value");
        }
        let url = cluster.url("jobs");
        let addresses = [0, 1, 2].map(|number| cluster.member(number).address().to_string());
        assert!(url.contains(&format!("{}/jobs", addresses.join(","))), "{url}");
    }
}

#[test]
fn a_leader_is_moved_and_a_leader_that_was_killed_is_replaced() {
    let cluster = EtcdCluster::start().unwrap();
    for to in [0, 1, 2] {
        cluster.move_leader(to);
        assert_eq!(cluster.leader(), to);
    }
    cluster.member(2).kill();
    let successor = cluster.successor_of(2);
    assert_eq!(cluster.member(successor).etcdctl(&["put", "key", "value"]), "OK");
    cluster.member(2).restart();
    assert_eq!(cluster.member(2).etcdctl(&["get", "key", "--print-value-only"]), "value");
}

#[test]
fn a_leader_that_is_cut_off_is_replaced_although_its_clients_reach_it() {
    let cluster = EtcdCluster::start().unwrap();
    let old = cluster.leader();
    cluster.isolate(old);
    assert!(cluster.member(old).try_etcdctl(&PUT).is_err());
    // It answers what it need not ask the others.
    assert_eq!(cluster.member(old).etcdctl(&["get", "key", "--consistency=s"]), "");
    let new = cluster.successor_of(old);
    assert_eq!(cluster.member(new).etcdctl(&["put", "key", "new"]), "OK");
    cluster.rejoin(old);
    // A linearizable read: it is of the cluster again.
    assert_eq!(cluster.member(old).etcdctl(&["get", "key", "--print-value-only"]), "new");
}

#[test]
fn a_follower_that_is_cut_off_stops_nobody_and_hears_nothing() {
    let cluster = EtcdCluster::start().unwrap();
    let leader = cluster.leader();
    let follower = (leader + 1) % 3;
    cluster.isolate(follower);
    let isolated = Instant::now();
    assert_eq!(cluster.member(leader).etcdctl(&["put", "key", "value"]), "OK");
    assert!(cluster.member(follower).try_etcdctl(&PUT).is_err());
    assert_eq!(cluster.member(follower).etcdctl(&["get", "key", "--consistency=s"]), "");
    // Whoever has made the connection.
    for other in (0..3).filter(|other| *other != follower) {
        for link in [cluster.link(follower, other), cluster.link(other, follower)] {
            assert!(link.last_carried(Direction::Both) < Some(isolated));
        }
    }
    cluster.rejoin(follower);
    assert_eq!(cluster.member(follower).etcdctl(&["get", "key", "--print-value-only"]), "value");
}

#[test]
fn a_cluster_that_lost_most_of_its_members_refuses_until_they_are_back() {
    let cluster = EtcdCluster::start().unwrap();
    let leader = cluster.leader();
    let others = [(leader + 1) % 3, (leader + 2) % 3];
    others.iter().for_each(|other| cluster.member(*other).kill());
    assert!(cluster.member(leader).try_etcdctl(&PUT).is_err());
    cluster.restart(others);
    assert_eq!(cluster.member(others[0]).etcdctl(&["put", "key", "value"]), "OK");
}

#[test]
fn a_cluster_without_links_goes_on_and_comes_back_like_any_other() {
    let cluster = EtcdCluster::straight(EtcdOptions::new()).unwrap();
    let leader = cluster.leader();
    cluster.member(leader).kill();
    let successor = cluster.successor_of(leader);
    assert_eq!(cluster.member(successor).etcdctl(&["put", "key", "value"]), "OK");
    cluster.member(leader).restart();
    assert_eq!(cluster.member(leader).etcdctl(&["get", "key", "--print-value-only"]), "value");
}

#[test]
#[should_panic(expected = "make it by `EtcdCluster::with`")]
fn who_isolates_a_member_of_a_cluster_without_links_is_told_how() {
    EtcdCluster::straight(EtcdOptions::new()).unwrap().isolate(0);
}
