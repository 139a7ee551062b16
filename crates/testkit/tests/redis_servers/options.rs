//! What a server may be asked to be.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
};

use leasehold_testkit::redis::{RedisOptions, Value};

#[test]
fn over_tls_a_server_shows_a_certificate_of_its_own_authority() {
    let server = RedisOptions::new().tls().start().unwrap();
    assert_eq!(server.command(&["PING"]), Value::SimpleString("PONG".to_owned()));
    let ca = server.ca().unwrap();
    assert!(fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    let url = server.url("jobs");
    assert_eq!(url, format!("rediss://{}?ca={}#jobs", server.address(), ca.display()));
    // Who speaks plain text is not heard.
    let mut client = TcpStream::connect(server.address()).unwrap();
    client.write_all(b"PING\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"+PONG"), "{answer:?}");
}

#[test]
fn a_server_may_want_certificates_of_its_clients() {
    let server = RedisOptions::new().tls_with_client_certificates().start().unwrap();
    assert_eq!(server.command(&["PING"]), Value::SimpleString("PONG".to_owned()));
    let url = server.url("jobs");
    assert!(url.contains("&cert=/") && url.contains("&key=/"), "{url}");
}

#[test]
fn a_candidate_may_do_what_it_needs_and_nothing_else() {
    let server = RedisOptions::new().acl().start().unwrap();
    let may = |words: &[&str]| server.text(&[&["ACL", "DRYRUN", "leasehold"], words].concat());
    let on_a_lease: [&[&str]; 7] = [
        &["EVALSHA", "sha", "1", "leasehold:jobs"],
        &["HSET", "leasehold:jobs", "version", "1"],
        &["HMGET", "leasehold:jobs", "version"],
        &["TIME"],
        &["INFO", "replication"],
        &["PUBLISH", "leasehold:jobs@0", "x"],
        &["SUBSCRIBE", "leasehold:jobs@0"],
    ];
    for words in on_a_lease {
        assert_eq!(may(words), "OK", "{words:?}");
    }
    let beyond: [&[&str]; 5] = [
        &["GET", "leasehold:jobs"],
        &["HSET", "others", "version", "1"],
        &["SUBSCRIBE", "others"],
        &["CONFIG", "GET", "*"],
        &["FLUSHALL"],
    ];
    for words in beyond {
        assert!(may(words).contains("has no permissions"), "{words:?}: {}", may(words));
    }
}

#[test]
fn no_password_is_shown() {
    for options in [RedisOptions::new().acl(), RedisOptions::new().password("s3cr\"t \\ word")] {
        let shown = format!("{options:?}");
        let server = options.start().unwrap();
        let shown = format!("{shown} {server:?} {}", server.log());
        let error = server.try_command(&["NONSENSE"]).unwrap_err();
        let url = server.url("jobs");
        assert!(!server.secrets().is_empty());
        for secret in server.secrets() {
            assert!(!shown.contains(&secret), "{shown}");
            assert!(!format!("{error} {error:?}").contains(&secret), "{error:?}");
            assert!(!url.contains(&secret), "a URL carries it encoded: {url}");
        }
    }
}

#[test]
fn a_server_listens_on_a_unix_socket() {
    let server = RedisOptions::new().password("secret").unix_socket().start().unwrap();
    let socket = server.run_directory().join("redis.sock");
    let mut client = UnixStream::connect(&socket).unwrap();
    client.write_all(b"AUTH secret\r\n").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    assert_eq!(
        server.url("jobs"),
        format!("redis+unix://{}?password=secret#jobs", socket.display())
    );
}

#[test]
fn a_replica_follows_its_master_whatever_that_asks_for() {
    let secured = RedisOptions::new().tls().acl();
    for options in [RedisOptions::new().own(), RedisOptions::new().password("secret"), secured] {
        let master = options.clone().start().unwrap();
        let replica = options.replica_of(master.address()).start().unwrap();
        master.command(&["SET", "key", "value"]);
        replica.catch_up_with(&master);
        assert_eq!(replica.text(&["GET", "key"]), "value");
    }
}

#[test]
fn configuration_and_environment_are_the_servers() {
    let server = RedisOptions::new()
        .config_line("maxmemory 2mb")
        .config_line("maxmemory-policy allkeys-lru")
        .env("LD_PRELOAD", "/nowhere.so")
        .start()
        .unwrap();
    assert!(server.text(&["INFO", "memory"]).contains("maxmemory:2097152"));
    // The linker complains to whom it concerns, and goes on.
    assert!(server.log().contains("/nowhere.so"), "{}", server.log());
}

#[test]
fn a_configuration_that_no_server_understands_is_an_error_with_its_words() {
    let error = RedisOptions::new().config_line("nonsense yes").start().unwrap_err();
    assert!(error.to_string().contains("nonsense yes"), "{error}");
}
