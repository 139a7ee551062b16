//! Nothing is left of it.

use std::{io::ErrorKind, net::TcpStream};

use super::own;
use crate::servers;

#[test]
fn nothing_is_left_of_a_test_that_was_killed() {
    servers::is_killed_and_leaves_nothing("redis_servers::ends::has_servers_until_it_is_killed", 3);
}

#[test]
#[ignore = "a role of nothing_is_left_of_a_test_that_was_killed"]
fn has_servers_until_it_is_killed() {
    let all @ [_, frozen, killed] = &[own(), own(), own()];
    frozen.freeze();
    killed.kill();
    servers::has(&all.each_ref().map(|server| (server.address(), server.run_directory())));
}

#[test]
fn nothing_is_left_of_a_server_that_was_dropped() {
    let server = own();
    let (address, directory) = (server.address(), server.run_directory().to_owned());
    assert!(directory.exists());
    drop(server);
    assert!(!directory.exists());
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
