//! The connection that all share.

use std::time::{Duration, Instant};

use futures::FutureExt as _;
use leasehold_core::LeaseLock;
use leasehold_redis::RedisLock;
use leasehold_testkit::{Proxy, redis::RedisOptions};
use tokio::net::TcpSocket;

/// One who gives up, perhaps for he was not scheduled for long, takes the connection from nobody.
#[tokio::test]
async fn a_call_that_is_given_up_while_others_are_answered_leaves_their_connection() {
    let server = RedisOptions::new().own().start().unwrap();
    let link = Proxy::start(server.address()).unwrap();
    let lock = RedisLock::connect(&server.url_through(link.address(), "jobs")).await.unwrap();
    let mut given_up = lock.observe();
    assert!((&mut given_up).now_or_never().is_none());
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(20) {
        lock.observe().await.unwrap();
    }
    drop(given_up);
    // Whoever would connect anew finds nobody.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    link.set_target(nobody.local_addr().unwrap());
    lock.observe().await.unwrap();
}
