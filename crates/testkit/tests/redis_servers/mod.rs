//! Real servers: they answer, freeze, die, come back, and are gone with the test.
mod ends;
mod options;
mod several;
mod ways;

use std::{io::ErrorKind, net::TcpStream, time::Duration};

use leasehold_testkit::redis::{RedisOptions, RedisServer, Value};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

fn own() -> RedisServer {
    RedisOptions::new().own().start().unwrap()
}

#[test]
fn a_server_starts_and_answers() {
    let server = RedisServer::start().unwrap();
    assert_eq!(server.command(&["PING"]), Value::SimpleString("PONG".to_owned()));
    assert!(server.url("jobs").starts_with("redis://"), "{}", server.url("jobs"));
    assert!(server.url("a/b#c").ends_with("#a%2Fb%23c"), "{}", server.url("a/b#c"));
}

#[tokio::test]
async fn a_frozen_server_answers_nobody_and_goes_on_where_it_was() {
    let server = own();
    let mut client = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    let mut answer = [0; 7];
    server.freeze();
    client.write_all(b"PING\r\n").await.unwrap();
    let silence = timeout(Duration::from_millis(300), client.read_exact(&mut answer)).await;
    assert!(silence.is_err(), "{silence:?}");
    server.thaw();
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn a_server_that_was_killed_comes_back_on_its_port_and_has_forgotten() {
    let server = own();
    let id = |server: &RedisServer| {
        let info = server.text(&["INFO", "replication"]);
        info.lines().find(|line| line.starts_with("master_replid:")).unwrap().to_owned()
    };
    let (address, before) = (server.address(), id(&server));
    server.command(&["SET", "key", "value"]);
    server.kill();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    server.restart();
    assert_eq!(server.address(), address);
    assert_eq!(server.command(&["GET", "key"]), Value::Nil);
    assert_ne!(id(&server), before);
}

#[test]
fn a_frozen_server_can_be_killed() {
    let server = own();
    server.freeze();
    server.kill();
    server.restart();
    server.freeze();
}
