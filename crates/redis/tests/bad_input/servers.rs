//! Servers that cannot keep a lease, or not now.

use std::time::Duration;

use leasehold_core::{ErrorKind, LeaseLock, create_free};
use leasehold_redis::RedisLock;
use leasehold_testkit::redis::{RedisOptions, RedisServer, Value};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{assert_says, held, kept, key, lock, refused};

fn with(lines: &[&str]) -> RedisServer {
    let options =
        lines.iter().fold(RedisOptions::new(), |options, line| options.config_line(*line));
    options.start().unwrap()
}

#[tokio::test]
async fn a_server_without_lua_is_refused_with_the_reason() {
    for lines in [
        &["rename-command EVAL \"\"", "rename-command EVALSHA \"\""][..],
        &["rename-command EVAL \"\""],
        &["rename-command EVALSHA \"\""],
        &["rename-command EVAL evil", "rename-command EVALSHA evilsha"],
    ] {
        let server = with(lines);
        let error = refused(&server.url("jobs"), ErrorKind::Invalid).await;
        assert_says(&error, &["Lua", "EVAL", "EVALSHA"], &[]);
        assert_eq!(server.command(&["DBSIZE"]), Value::Int(0));
    }
}

#[tokio::test]
async fn a_server_that_hides_what_the_scripts_call_is_refused_with_the_command() {
    for command in ["INFO", "TIME", "EXISTS", "HMGET", "HSET", "PUBLISH"] {
        let line = format!("rename-command {command} \"\"");
        let server = with(&[&line]);
        let error = refused(&server.url("jobs"), ErrorKind::Invalid).await;
        assert_says(&error, &[command], &[]);
        assert_eq!(server.command(&["DBSIZE"]), Value::Int(0));
    }
}

#[tokio::test]
async fn a_replica_shows_no_lease_and_takes_none() {
    let master = RedisOptions::new().own().start().unwrap();
    let free = RedisLock::connect(&master.url("jobs")).await.unwrap();
    create_free(&free).await.unwrap();
    for line in ["replica-read-only yes", "replica-read-only no"] {
        let replica = RedisOptions::new().replica_of(master.address());
        let replica = replica.config_line(line).start().unwrap();
        replica.catch_up_with(&master);
        let before = kept(&replica, "jobs");
        let error = refused(&replica.url("jobs"), ErrorKind::Denied).await;
        assert_says(&error, &["replica", "name the master"], &[]);
        assert_eq!(kept(&replica, "jobs"), before);
    }
}

#[tokio::test]
async fn a_server_whose_memory_is_full_keeps_what_it_has() {
    let server = with(&["maxmemory-policy noeviction"]);
    let lock = lock(&server.url("jobs"));
    create_free(&lock).await.unwrap();
    let seen = lock.observe().await.unwrap();
    let before = kept(&server, "jobs");
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_says(&error, &["OOM", "raise maxmemory"], &[]);
    assert_eq!(kept(&server, "jobs"), before);
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    lock.swap(&seen, &held(&seen)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_misses_its_replicas_writes_nothing_and_says_so() {
    let server = with(&["min-replicas-to-write 1"]);
    let lock = lock(&server.url("jobs"));
    let seen = lock.observe().await.unwrap();
    let error = lock.swap(&seen, &held(&seen)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_says(&error, &["NOREPLICAS", "min-replicas-to-write"], &[]);
    assert_eq!(server.command(&["EXISTS", &key("jobs")]), Value::Int(0));
}

#[tokio::test]
async fn a_server_that_is_busy_with_somebody_else_s_script_says_so_and_recovers() {
    let server = with(&["busy-reply-threshold 10"]);
    let lock = lock(&server.url("jobs"));
    create_free(&lock).await.unwrap();
    let mut other = TcpStream::connect(server.address()).await.unwrap();
    other.write_all(b"EVAL \"while true do end\" 0\r\n").await.unwrap();
    let busy = async { while lock.observe().await.is_ok() {} };
    timeout(Duration::from_secs(10), busy).await.unwrap();
    let error = refused(&server.url("jobs"), ErrorKind::Unreachable).await;
    assert_says(&error, &["BUSY", "what it is busy with"], &[]);
    assert_eq!(lock.observe().await.unwrap_err().kind(), ErrorKind::Unreachable);
    server.command(&["SCRIPT", "KILL"]);
    other.read_exact(&mut [0; 1]).await.unwrap();
    assert!(lock.observe().await.unwrap().record.is_some());
}

#[tokio::test]
async fn a_server_with_too_many_clients_says_so() {
    let server = with(&[]);
    server.command(&["CONFIG", "SET", "maxclients", "1"]);
    // The operator's own connection may still count.
    let get_in = async {
        loop {
            let mut other = TcpStream::connect(server.address()).await.unwrap();
            let mut answer = [0; 7];
            if other.write_all(b"PING\r\n").await.is_ok()
                && other.read_exact(&mut answer).await.is_ok()
                && &answer == b"+PONG\r\n"
            {
                break other;
            }
        }
    };
    let other = timeout(Duration::from_secs(10), get_in).await.unwrap();
    let error = refused(&server.url("jobs"), ErrorKind::Unreachable).await;
    assert_says(&error, &["max number of clients", "raise maxclients"], &[]);
    drop(other);
}
