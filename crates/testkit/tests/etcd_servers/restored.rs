//! Data that go back.

use leasehold_testkit::etcd::{EtcdCluster, EtcdOptions, EtcdServer, Restore};

/// The id of its cluster, and its revision.
fn header(server: &EtcdServer) -> (u64, u64) {
    let said = server.etcdctl(&["get", "key", "--write-out=json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let number = |name: &str| said["header"][name].as_u64().unwrap();
    (number("cluster_id"), number("revision"))
}

#[test]
fn a_server_goes_back_to_a_snapshot_at_its_address() {
    let server = EtcdOptions::new().own().start().unwrap();
    let address = server.address();
    let snapshot = server.run_directory().join("snapshot.db");
    server.etcdctl(&["put", "key", "old"]);
    let then = header(&server);
    server.snapshot(&snapshot).unwrap();
    for _ in 0..3 {
        server.etcdctl(&["put", "key", "new"]);
    }
    let before = header(&server);
    assert_eq!(before.1, then.1 + 3);

    server.restore(&snapshot, &Restore::new());
    assert_eq!(server.address(), address);
    assert_eq!(server.etcdctl(&["get", "key", "--print-value-only"]), "old");
    assert_eq!(header(&server), then, "the same cluster, and revisions that are given out again");

    server.restore(&snapshot, &Restore::new().bump_revision(1_000));
    assert_eq!(header(&server).0, then.0);
    assert!(header(&server).1 >= then.1 + 1_000, "{:?}", header(&server));

    server.restore(&snapshot, &Restore::new().new_cluster());
    assert_ne!(header(&server).0, then.0);
    assert_eq!(header(&server).1, then.1);
    // And that is what it remains.
    let cluster = header(&server).0;
    server.restart();
    assert_eq!(header(&server).0, cluster);
}

#[test]
fn a_cluster_goes_back_to_a_snapshot_as_a_whole() {
    let cluster = EtcdCluster::with(EtcdOptions::new().auth()).unwrap();
    let snapshot = cluster.member(0).run_directory().join("snapshot.db");
    cluster.member(1).etcdctl(&["put", "key", "old"]);
    cluster.snapshot(&snapshot).unwrap();
    cluster.member(2).etcdctl(&["put", "key", "new"]);
    let then = header(cluster.member(0));
    cluster.restore(&snapshot, &Restore::new().bump_revision(1_000).new_cluster());
    for number in 0..3 {
        let member = cluster.member(number);
        assert_eq!(member.etcdctl(&["get", "key", "--print-value-only"]), "old");
        assert!(header(member).0 != then.0 && header(member).1 > then.1);
    }
}
