//! Where a server comes from, and what is said where there is none.

use leasehold_testkit::redis::{RedisOptions, RedisServer};

use crate::servers::role;

#[test]
fn without_a_server_the_error_says_how_to_get_one() {
    let said = role("redis_servers::ways::says_what_it_finds")
        .env("PATH", "")
        .env("DOCKER_HOST", "unix:///nowhere")
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    for way in [
        "LEASEHOLD_REDIS_URL is not set",
        "no redis-server or valkey-server on the PATH",
        "LEASEHOLD_REDIS_URL=redis://[user:password@]host:port",
        "apt-get install redis-server",
        "LEASEHOLD_REDIS_IMAGE",
    ] {
        assert!(said.contains(way), "{said}");
    }
}

#[test]
fn a_server_elsewhere_is_used_by_tests_that_leave_it_as_it_is() {
    let server = RedisOptions::new().password("p@ss").start().unwrap();
    let url = format!("redis://:p%40ss@{}", server.address());
    let said = role("redis_servers::ways::says_what_it_finds")
        .env("PATH", "")
        .env("DOCKER_HOST", "unix:///nowhere")
        .env("LEASEHOLD_REDIS_URL", &url)
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    assert!(said.contains(&format!("any: {url}#jobs, PONG")), "{said}");
    assert!(said.contains("this test needs one of its own"), "{said}");
}

#[test]
fn a_server_elsewhere_that_does_not_answer_is_an_error_without_its_password() {
    let server = RedisOptions::new().password("p@ss").start().unwrap();
    for password in ["wr0ng", ""] {
        let url = format!("redis://:{password}@{}", server.address());
        let said = role("redis_servers::ways::says_what_it_finds")
            .env("LEASEHOLD_REDIS_URL", &url)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(
            said.contains(&format!("{}, which LEASEHOLD_REDIS_URL", server.address())),
            "{said}"
        );
        assert!(!said.contains("wr0ng"), "{said}");
    }
}

#[test]
#[ignore = "a role of other tests"]
fn says_what_it_finds() {
    match RedisServer::start() {
        Ok(server) => println!("any: {}, {}", server.url("jobs"), server.text(&["PING"])),
        Err(error) => println!("any: {error}"),
    }
    match RedisOptions::new().own().start() {
        Ok(server) => println!("own: {}", server.url("jobs")),
        Err(error) => println!("own: {error}"),
    }
}
