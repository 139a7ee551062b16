//! Servers that belong together.

use leasehold_testkit::redis::{RedisCluster, RedisOptions, RedisSentinels, Value};

#[test]
fn a_cluster_is_ready_on_every_node_and_one_of_them_has_the_lease() {
    for options in [RedisOptions::new(), RedisOptions::new().tls_with_client_certificates().acl()] {
        let cluster = RedisCluster::with(options).unwrap();
        for number in 0..3 {
            assert!(cluster.node(number).text(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
        }
        for lease in ["jobs", "a", "b", "c", "{x}y"] {
            let key = format!("leasehold:{lease}");
            assert_eq!(cluster.node_of(lease).command(&["HSET", &key, "a", "1"]), Value::Int(1));
            let asked = (0..3).map(|number| cluster.node(number).try_command(&["GET", &key]));
            let sent_away = asked
                .filter(|answer| matches!(answer, Err(error) if error.code() == Some("MOVED")));
            assert_eq!(sent_away.count(), 2);
        }
        assert!(cluster.url("jobs").contains("+cluster://"), "{}", cluster.url("jobs"));
    }
}

#[test]
fn sentinels_promote_the_replica_of_a_master_that_was_killed() {
    let secured = (RedisOptions::new().tls().acl(), Some("s3ntinels"));
    for (options, password) in [(RedisOptions::new(), None), secured] {
        let all = RedisSentinels::with(options, password).unwrap();
        let (old, replica) = (all.master(), all.replica());
        old.command(&["SET", "key", "value"]);
        replica.catch_up_with(old);
        old.kill();
        let new = all.successor_of(old);
        assert_eq!(new.address(), replica.address());
        assert_eq!(new.text(&["GET", "key"]), "value");
        // Started again it is told to follow, and the next failover can come.
        old.restart();
        all.settle();
        assert_eq!(all.replica().address(), old.address());
        assert!(all.url("jobs").contains("+sentinel://"), "{}", all.url("jobs"));
    }
}
