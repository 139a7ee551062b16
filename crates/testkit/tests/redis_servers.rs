//! Real servers: they answer, freeze, die, come back, and are gone with the test.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use leasehold_testkit::redis::{RedisOptions, RedisServer, Value};

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

#[test]
fn a_frozen_server_answers_nobody_and_goes_on_where_it_was() {
    let server = own();
    let mut client = TcpStream::connect(server.address()).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    server.freeze();
    client.write_all(b"PING\r\n").unwrap();
    let mut answer = [0; 7];
    assert_eq!(client.read(&mut answer).unwrap_err().kind(), ErrorKind::WouldBlock);
    server.thaw();
    client.set_read_timeout(None).unwrap();
    client.read_exact(&mut answer).unwrap();
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
