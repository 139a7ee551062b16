//! What listens is no etcd, or nothing listens.

use std::time::{Duration, Instant};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_testkit::{
    Stranger, Then,
    etcd::{EtcdOptions, EtcdServer},
};
use tokio::net::TcpSocket;

use super::{absent, assert_says, held, lock, refused};

fn url(stranger: &Stranger) -> String {
    format!("etcd://u:hunter2@{}/jobs", stranger.address())
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap();
    for url in [
        format!("etcd://u:hunter2@{address}/jobs"),
        format!("etcds://u:hunter2@{address}/jobs"),
        format!("etcd://u:hunter2@{address},{address}/jobs"),
    ] {
        let error = refused(&url, ErrorKind::Unreachable).await;
        let place = address.to_string();
        assert_says(&error, &[&place, "refused", "see whether it runs"], &["hunter2"]);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let url = "etcd://u:hunter2@no-such-host.invalid/jobs";
    let error = lock(url).observe().await.unwrap_err();
    assert!([ErrorKind::Unreachable, ErrorKind::Timeout].contains(&error.kind()), "{error:?}");
    assert_says(&error, &["no-such-host.invalid:2379"], &["hunter2"]);
}

#[tokio::test]
async fn who_takes_a_connection_and_never_answers_costs_a_second() {
    let silent = Stranger::who_says(b"", Then::Waits).await;
    for url in [url(&silent), url(&silent).replace("etcd", "etcds")] {
        let began = Instant::now();
        let error = lock(&url).observe().await.unwrap_err();
        let took = began.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_says(&error, &["jobs", &silent.address().to_string(), "1s"], &["hunter2"]);
        assert!((Duration::from_millis(990)..Duration::from_secs(5)).contains(&took), "{took:?}");
    }
    let error = lock(&url(&silent)).swap(&absent(), &held(&absent())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn who_closes_every_connection_at_once_is_unreachable_and_not_tried_again_and_again() {
    let closing = Stranger::who_says(b"", Then::Closes).await;
    let error = lock(&url(&closing)).observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert_says(&error, &[&closing.address().to_string(), "TLS"], &["hunter2"]);
    let accepted = closing.accepted();
    assert!((1..=2).contains(&accepted), "{accepted} connections");
}

#[tokio::test]
async fn who_is_no_etcd_is_told_apart() {
    for words in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"220 mail ready\r\n",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let stranger = Stranger::who_says(words, Then::Closes).await;
        let error = lock(&url(&stranger)).observe().await.unwrap_err();
        let kinds = [ErrorKind::Unexpected, ErrorKind::Unreachable, ErrorKind::Timeout];
        assert!(kinds.contains(&error.kind()), "{words:?}: {error:?}");
        assert_says(&error, &[&stranger.address().to_string()], &["hunter2"]);
        assert!(!error.to_string().contains('\n'), "{words:?}: {error}");
    }
}

#[tokio::test]
async fn a_frozen_etcd_is_unknown_and_the_same_lock_goes_on_when_it_wakes() {
    let server = EtcdOptions::new().own().start().unwrap();
    let lock = lock(&server.url("jobs"));
    let seen = lock.observe().await.unwrap();
    server.freeze();
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_says(&error, &["jobs", "frozen"], &[]);
    server.thaw();
    lock.observe().await.unwrap();
}

#[tokio::test]
async fn an_etcd_that_was_restarted_is_used_again_without_a_failure() {
    let server = EtcdOptions::new().own().start().unwrap();
    let lock = lock(&server.url("jobs"));
    let seen = lock.observe().await.unwrap();
    lock.swap(&seen, &held(&seen)).await.unwrap();
    let seen = lock.observe().await.unwrap();
    server.restart();
    assert_eq!(lock.observe().await.unwrap(), seen);
}

#[tokio::test]
async fn of_several_members_the_dead_are_passed_over_within_one_call() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = nobody.local_addr().unwrap();
    let living = EtcdServer::shared().address();
    let lock = lock(&format!("etcd://{dead},{dead},{living}/of-several"));
    let began = Instant::now();
    lock.observe().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
