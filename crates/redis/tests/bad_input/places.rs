//! URLs that name another kind of place than the one that is there, and clusters that are confused.

use std::time::{Duration, Instant};

use leasehold_core::{ErrorKind, LeaseLock, create_free};
use leasehold_testkit::redis::{RedisCluster, RedisOptions, RedisSentinels, RedisServer, Value};

use super::{assert_says, held, key, lock, refused};

fn slot(cluster: &RedisCluster, lease: &str) -> String {
    match cluster.node(0).command(&["CLUSTER", "KEYSLOT", &key(lease)]) {
        Value::Int(slot) => slot.to_string(),
        other => panic!("{other:?}"),
    }
}

fn id(node: &RedisServer) -> String {
    node.text(&["CLUSTER", "MYID"])
}

#[tokio::test]
async fn nodes_that_send_a_request_to_each_other_are_left_after_a_few_rounds() {
    let cluster = RedisCluster::start().unwrap();
    let lease = "jobs";
    let (keeper, slot) = (cluster.node_of(lease), slot(&cluster, lease));
    let other = (0..3).map(|n| cluster.node(n)).find(|n| n.address() != keeper.address()).unwrap();
    let lock = lock(&cluster.url(lease));
    lock.observe().await.unwrap();

    // Each says that the other has the slot.
    keeper.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(other)]);
    let requests = || {
        let stats = keeper.text(&["INFO", "errorstats"]);
        let moved = stats.lines().find_map(|line| line.strip_prefix("errorstat_MOVED:count="));
        moved.map_or(0, |count| count.trim().parse::<u32>().unwrap())
    };
    let before = requests();
    let began = Instant::now();
    let error = lock.observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unexpected, "{error}");
    assert_says(&error, &["from server to server", "CLUSTER SLOTS"], &[]);
    assert!(requests() - before <= 3, "{} requests", requests() - before);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let error = refused(&cluster.url(lease), ErrorKind::Unexpected).await;
    assert_says(&error, &["from server to server"], &[]);

    // And it is found again, once they agree.
    keeper.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(keeper)]);
    let seen = lock.observe().await.unwrap();
    assert_eq!(seen.record, None);
    lock.swap(&seen, &held(&seen)).await.unwrap();
}

#[tokio::test]
async fn a_slot_that_no_node_serves_is_an_error_that_says_so() {
    let cluster = RedisCluster::start().unwrap();
    let slot = slot(&cluster, "jobs");
    for node in 0..3 {
        cluster.node(node).command(&["CLUSTER", "DELSLOTS", &slot]);
    }
    let error = refused(&cluster.url("jobs"), ErrorKind::Unreachable).await;
    assert_says(&error, &["CLUSTERDOWN"], &[]);
}

#[tokio::test]
async fn a_node_of_a_cluster_by_the_url_of_a_single_server_says_which_url_to_use() {
    let cluster = RedisCluster::start().unwrap();
    let keeper = cluster.node_of("jobs").address();
    let others = (0..3).map(|n| cluster.node(n)).filter(|node| node.address() != keeper);
    for node in others {
        let error = refused(&node.url("jobs"), ErrorKind::Invalid).await;
        assert_says(&error, &["redis+cluster://"], &[]);
    }
}

#[tokio::test]
async fn a_server_that_stands_alone_by_the_url_of_a_cluster_says_which_url_to_use() {
    for options in [RedisOptions::new(), RedisOptions::new().acl()] {
        let server = options.own().start().unwrap();
        let url = server.url("jobs").replace("redis://", "redis+cluster://");
        let error = refused(&url, ErrorKind::Invalid).await;
        let secrets = server.secrets();
        let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
        assert_says(&error, &["belongs to no cluster", "use redis://"], &secrets);
        assert_eq!(server.command(&["DBSIZE"]), Value::Int(0));
    }
}

#[tokio::test]
async fn what_is_no_sentinel_or_not_wanted_as_one_says_so() {
    let sentinels = RedisSentinels::start().unwrap();
    let (server, sentinel) = (sentinels.master(), sentinels.sentinel(0));

    let url = format!("redis+sentinel://{}/mymaster#jobs", server.address());
    let error = refused(&url, ErrorKind::Invalid).await;
    assert_says(&error, &["no sentinel", "redis://"], &[]);

    let error = refused(&format!("redis://{}#jobs", sentinel.address()), ErrorKind::Invalid).await;
    assert_says(&error, &["sentinel", "redis+sentinel://"], &[]);

    let url = sentinels.url("jobs").replace("/leasehold-test", "/somebody");
    let error = refused(&url, ErrorKind::Invalid).await;
    assert_says(&error, &["knows no master \"somebody\"", "SENTINEL MASTERS"], &[]);
    assert_eq!(server.command(&["DBSIZE"]), Value::Int(0));
}

#[tokio::test]
async fn a_sentinel_s_password_is_another_than_the_servers_and_neither_is_shown() {
    let options = RedisOptions::new().password("of the server");
    let sentinels = RedisSentinels::with(options, Some("of the sentinel")).unwrap();
    let right = sentinels.url("jobs");
    let secrets = ["of the", "of%20the", "hunter2"];
    create_free(&lock(&right)).await.unwrap();
    for (from, to, place) in [
        ("of%20the%20sentinel", "hunter2", sentinels.sentinel(0)),
        ("?sentinel_password=of%20the%20sentinel", "", sentinels.sentinel(0)),
        ("of%20the%20server", "hunter2", sentinels.master()),
        (":of%20the%20server@", "", sentinels.master()),
    ] {
        assert!(right.contains(from), "{from}");
        let error = refused(&right.replace(from, to), ErrorKind::Denied).await;
        let why = match to {
            "" => "wants a password: none was given",
            _ => "check the user and the password",
        };
        let named = match place.address() == sentinels.master().address() {
            true => format!(": {}: ", place.address()),
            false => ": sentinel 127.0.0.1:".to_owned(),
        };
        assert_says(&error, &[why, &named], &secrets);
    }
}

#[tokio::test]
async fn who_may_not_ask_where_a_slot_moves_is_told_what_to_allow() {
    let cluster = RedisCluster::with(RedisOptions::new().acl()).unwrap();
    let (keeper, slot) = (cluster.node_of("jobs"), slot(&cluster, "jobs"));
    let other = (0..3).map(|n| cluster.node(n)).find(|n| n.address() != keeper.address()).unwrap();
    keeper.command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(other)]);
    other.command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(keeper)]);
    other.command(&["ACL", "SETUSER", "leasehold", "-asking"]);

    let secrets = cluster.secrets();
    let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
    let error = refused(&cluster.url("jobs"), ErrorKind::Denied).await;
    assert_says(&error, &["asking", "+asking"], &secrets);
}
