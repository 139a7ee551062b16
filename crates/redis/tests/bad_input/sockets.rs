//! What listens is no Redis, or nothing listens.

use std::time::{Duration, Instant};

use leasehold_core::{ErrorKind, LeaseLock};
use leasehold_testkit::{Stranger, Then, redis::RedisOptions};
use tokio::net::TcpSocket;

use super::{absent, assert_says, held, lock, refused};

fn url(stranger: &Stranger) -> String {
    format!("redis://u:hunter2@{}#jobs", stranger.address())
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_named() {
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = nobody.local_addr().unwrap();
    for url in [
        format!("redis://u:hunter2@{address}#jobs"),
        format!("rediss://u:hunter2@{address}#jobs"),
        format!("redis+cluster://u:hunter2@{address},{address}#jobs"),
        format!("redis+sentinel://{address}/m?sentinel_password=hunter2#jobs"),
    ] {
        let error = refused(&url, ErrorKind::Unreachable).await;
        let place = address.to_string();
        assert_says(&error, &[&place, "refused", "see whether it runs"], &["hunter2"]);
    }
    let url = "redis+unix:///no/such/redis.sock?password=hunter2#jobs";
    let error = refused(url, ErrorKind::Unreachable).await;
    assert_says(&error, &["/no/such/redis.sock", "see whether it runs"], &["hunter2"]);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_from_a_server_that_does_not_answer() {
    // What no resolver is asked about: a part of a name has 63 letters at most.
    let host = "x".repeat(64);
    for url in [
        format!("redis://u:hunter2@{host}#jobs"),
        format!("rediss://u:hunter2@{host}:7#jobs"),
        format!("redis+cluster://u:hunter2@{host},{host}:7#jobs"),
        format!("redis+sentinel://{host}/m?sentinel_password=hunter2#jobs"),
    ] {
        let error = refused(&url, ErrorKind::Unreachable).await;
        assert_says(&error, &[&host, "this name does not resolve", "DNS"], &["hunter2"]);
        assert!(!error.to_string().contains("TLS"), "{error}");
    }
    // Where there is no DNS, that one does not answer.
    let error = lock("redis://no-such-host.invalid#jobs").observe().await.unwrap_err();
    assert!([ErrorKind::Unreachable, ErrorKind::Timeout].contains(&error.kind()), "{error:?}");
    assert_says(&error, &["no-such-host.invalid", "this name does not resolve"], &[]);
}

#[tokio::test]
async fn a_socket_that_this_user_may_not_use_or_that_is_none_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("redis.sock");
    std::fs::write(&file, "").unwrap();
    let url = format!("redis+unix://{}#jobs", file.display());
    let error = refused(&url, ErrorKind::Unreachable).await;
    assert_says(&error, &["redis.sock", "see whether it runs"], &[]);
}

#[tokio::test]
async fn who_takes_a_connection_and_never_answers_costs_a_second() {
    let silent = Stranger::who_says(b"", Then::Waits).await;
    let began = Instant::now();
    let error = lock(&url(&silent)).observe().await.unwrap_err();
    let took = began.elapsed();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_says(&error, &["jobs", &silent.address().to_string()], &["hunter2"]);
    assert!((Duration::from_millis(990)..Duration::from_millis(1500)).contains(&took), "{took:?}");
    let error = lock(&url(&silent)).swap(&absent(), &held(&absent())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let tls = url(&silent).replace("redis", "rediss");
    let error = lock(&tls).observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn who_closes_every_connection_at_once_is_unreachable() {
    let closing = Stranger::who_says(b"", Then::Closes).await;
    let error = refused(&url(&closing), ErrorKind::Unreachable).await;
    assert_says(&error, &[&closing.address().to_string(), "TLS"], &["hunter2"]);
}

#[tokio::test]
async fn who_is_no_redis_is_told_apart() {
    for words in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"+OK\r\n+OK\r\n+OK\r\n+OK\r\n",
        b"$-7\r\n",
        b"*2147483647\r\n",
        b"220 mail ready\r\n",
    ] {
        let stranger = Stranger::who_says(words, Then::Closes).await;
        let error = lock(&url(&stranger)).observe().await.unwrap_err();
        let said = error.to_string();
        let kinds = [ErrorKind::Unexpected, ErrorKind::Unreachable];
        assert!(kinds.contains(&error.kind()), "{words:?}: {error:?}");
        assert_says(&error, &[&stranger.address().to_string()], &["hunter2"]);
        assert!(said.contains("TLS") && !said.contains('\n'), "{words:?}: {said}");
    }
}

/// It would be, by every candidate at once.
#[tokio::test]
async fn who_ends_each_connection_as_soon_as_it_is_open_is_not_tried_again_and_again() {
    let ending = Stranger::who_says(b"+OK\r\n", Then::Closes).await;
    let error = lock(&url(&ending)).observe().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let accepted = ending.accepted();
    assert!((1..=2).contains(&accepted), "{accepted} connections");
}

#[tokio::test]
async fn who_talks_without_end_is_left() {
    let talker = Stranger::who_says(b"+and then it said\r\n", Then::Repeats).await;
    let began = Instant::now();
    lock(&url(&talker)).observe().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_frozen_server_is_unknown_and_the_same_lock_goes_on_when_it_wakes() {
    let server = RedisOptions::new().own().start().unwrap();
    let lock = lock(&server.url("jobs"));
    let seen = lock.observe().await.unwrap();
    server.freeze();
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_says(&error, &["jobs", "frozen"], &[]);
    server.thaw();
    lock.observe().await.unwrap();
}
