//! Where a server comes from, and what is said where there is none.

use std::{env, fs, os::unix::fs::PermissionsExt as _};

use leasehold_testkit::etcd::{EtcdOptions, EtcdServer};

use super::own;
use crate::servers::role;

#[test]
fn without_a_server_the_error_says_how_to_get_one() {
    let said = role("etcd_servers::ways::says_what_it_finds")
        .env("PATH", "")
        .env("XDG_CACHE_HOME", "/nowhere")
        .env("DOCKER_HOST", "unix:///nowhere")
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    for way in [
        "LEASEHOLD_ETCD_URL is not set",
        "no etcd on the PATH, nor kept by a set-up",
        "LEASEHOLD_ETCD_URL=etcd://[user:password@]host:port",
        "version 3.5 or newer",
        "LEASEHOLD_ETCD_IMAGE",
        "`integration/setup`",
    ] {
        assert!(said.contains(way), "{said}");
    }
}

#[test]
fn a_server_that_is_too_old_is_refused_with_its_version() {
    let server = own();
    let old = server.run_directory().join("etcd");
    fs::write(&old, "#!/bin/sh\necho 'etcd Version: 3.4.23'\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let said = role("etcd_servers::ways::says_what_it_finds")
        .env("LEASEHOLD_ETCD", &old)
        .env("DOCKER_HOST", "unix:///nowhere")
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    assert!(said.contains("LEASEHOLD_ETCD names a server of version 3.4"), "{said}");
}

#[test]
fn a_server_elsewhere_is_used_by_tests_that_leave_it_as_it_is() {
    let server = EtcdOptions::new().auth().start().unwrap();
    let url = server.url("");
    let url = url.trim_end_matches('/');
    let said = says_of(url);
    assert!(said.contains(&format!("any: {url}/jobs, OK")), "{said}");
    assert!(!said.contains(&format!("own: {url}")), "{said}");
}

#[test]
fn a_server_elsewhere_that_does_not_answer_is_an_error_without_its_password() {
    let server = EtcdOptions::new().auth().start().unwrap();
    let url = format!("etcd://leasehold:wr0ng@{}", server.address());
    let said = says_of(&url);
    assert!(said.contains(&format!("{}, which LEASEHOLD_ETCD_URL", server.address())), "{said}");
    assert!(said.contains("invalid user ID or password"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
}

/// What it finds where this is the address. Its operator's tools are beside the program.
fn says_of(url: &str) -> String {
    let program = env::var_os("LEASEHOLD_ETCD").map(|program| ("LEASEHOLD_ETCD", program));
    let mut role = role("etcd_servers::ways::says_what_it_finds");
    let said = role.env("LEASEHOLD_ETCD_URL", url).envs(program).output();
    String::from_utf8(said.unwrap().stdout).unwrap()
}

#[test]
#[ignore = "a role of other tests"]
fn says_what_it_finds() {
    match EtcdServer::start() {
        Ok(server) => {
            println!(
                "any: {}, {}",
                server.url("jobs"),
                server.etcdctl(&["put", "leasehold/x", "y"])
            );
        }
        Err(error) => println!("any: {error}"),
    }
    match EtcdOptions::new().own().start() {
        Ok(server) => println!("own: {}", server.url("jobs")),
        Err(error) => println!("own: {error}"),
    }
}
