//! Real servers: they answer, freeze, die, come back, and are gone with the test.
mod ends;
mod options;
mod restored;
mod several;
mod ways;

use std::{io::ErrorKind, net::TcpStream};

use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};

fn own() -> EtcdServer {
    EtcdOptions::new().own().start().unwrap()
}

#[test]
fn a_server_starts_and_answers() {
    let server = EtcdServer::start().unwrap();
    assert_eq!(server.etcdctl(&["put", "some/key", "a value"]), "OK");
    assert_eq!(server.etcdctl(&["get", "some/key"]), "some/key\na value");
    assert!(server.url("a/b#c").ends_with(&format!("{}/a%2Fb%23c", server.address())));
}

#[test]
fn a_frozen_server_answers_nobody_and_goes_on_where_it_was() {
    let server = own();
    server.freeze();
    let get = ["get", "key", "--command-timeout=300ms"];
    let error = server.try_etcdctl(&get).unwrap_err();
    assert!(error.to_string().contains("deadline exceeded"), "{error}");
    server.thaw();
    assert_eq!(server.etcdctl(&["get", "key"]), "");
}

#[test]
fn a_server_that_was_killed_comes_back_on_its_port_and_has_forgotten_nothing() {
    let server = own();
    let address = server.address();
    server.etcdctl(&["put", "key", "value"]);
    server.kill();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    server.restart();
    assert_eq!(server.address(), address);
    assert_eq!(server.etcdctl(&["get", "key", "--print-value-only"]), "value");
}

#[test]
fn what_a_server_was_asked_is_counted() {
    let server = own();
    let puts = || server.metric("grpc_server_handled_total", &[("grpc_method", "Put")]);
    let before = puts();
    server.etcdctl(&["put", "key", "value"]);
    assert_eq!(puts(), before + 1.0);
}
