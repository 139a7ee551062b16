//! Nothing is left of it.

use std::{io::ErrorKind, net::TcpStream};

use leasehold_testkit::kubernetes::Apiserver;

use super::own;
use crate::servers;

#[test]
fn nothing_is_left_of_a_test_that_was_killed() {
    servers::is_killed_and_leaves_nothing(
        "kubernetes_servers::ends::has_servers_until_it_is_killed",
        6,
    );
}

#[test]
#[ignore = "a role of nothing_is_left_of_a_test_that_was_killed"]
fn has_servers_until_it_is_killed() {
    let all @ [_, frozen, killed] = &[own(), own(), own()];
    frozen.freeze();
    killed.kill();
    let apiservers = all.iter().map(|server| (server.address(), server.run_directory()));
    let etcds = all.iter().map(Apiserver::etcd);
    let etcds = etcds.map(|etcd| (etcd.address(), etcd.run_directory()));
    servers::has(&apiservers.chain(etcds).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_of_a_server_once_all_its_namespaces_are_dropped() {
    let server = own();
    let addresses = [server.address(), server.etcd().address()];
    let directories = [server.run_directory(), server.etcd().run_directory()].map(|d| d.to_owned());
    let last = server.new_namespace();
    drop(server);
    assert_eq!(last.kubectl(&["get", "--raw=/readyz"]), "ok");
    drop(last);
    for (address, directory) in addresses.iter().zip(&directories) {
        assert!(!directory.exists());
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
