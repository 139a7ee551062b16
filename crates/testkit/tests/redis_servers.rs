//! Real servers: they answer, freeze, die, come back, and are gone with the test.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::{
    env,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

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

#[test]
fn over_tls_a_server_shows_a_certificate_of_its_own_authority() {
    let server = RedisOptions::new().tls().start().unwrap();
    assert_eq!(server.command(&["PING"]), Value::SimpleString("PONG".to_owned()));
    let ca = server.ca().unwrap();
    assert!(std::fs::read_to_string(&ca).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
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
        // The replica may not even have asked yet, and WAIT counts those that follow.
        while master.command(&["WAIT", "1", "1000"]) != Value::Int(1) {}
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

/// Runs an ignored test of this program, a role, in a process of its own.
fn role(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", name, "--nocapture"]);
    command.env_remove("LEASEHOLD_SERVERS").env_remove("LEASEHOLD_REDIS_URL");
    command.env_remove("LEASEHOLD_REDIS_SERVER").stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn nothing_is_left_of_a_test_that_was_killed() {
    let mut test = role("has_servers_until_it_is_killed");
    if let Some(ways) = env::var_os("LEASEHOLD_SERVERS") {
        test.env("LEASEHOLD_SERVERS", ways);
    }
    let mut test = test.spawn().unwrap();
    let lines = BufReader::new(test.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines
        .take_while(|line| line != "these are all")
        .filter_map(|line| line.split_once("server ").map(|(_, said)| said.to_owned()))
        .collect();
    test.kill().unwrap();
    test.wait().unwrap();
    assert_eq!(said.len(), 3, "{said:?}");
    for line in said {
        let (address, directory) = line.split_once(' ').unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        // Its end is an event for nobody any more: its parent is gone.
        while TcpStream::connect(address).is_ok() || Path::new(directory).exists() {
            assert!(Instant::now() < end, "still there: {line}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
#[ignore = "a role of nothing_is_left_of_a_test_that_was_killed"]
fn has_servers_until_it_is_killed() {
    let (running, frozen, killed) = (own(), own(), own());
    frozen.freeze();
    killed.kill();
    for server in [&running, &frozen, &killed] {
        println!("server {} {}", server.address(), server.run_directory().display());
    }
    println!("these are all");
    let _ = std::io::stdin().read(&mut [0]);
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

#[test]
fn without_a_server_the_error_says_how_to_get_one() {
    let said =
        role("says_what_it_finds").env("PATH", "").env("DOCKER_HOST", "unix:///nowhere").output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    for way in [
        "LEASEHOLD_REDIS_URL is not set",
        "no redis-server or valkey-server on the PATH",
        "LEASEHOLD_REDIS_URL=redis://host:port",
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
    let said = role("says_what_it_finds")
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
        let said = role("says_what_it_finds").env("LEASEHOLD_REDIS_URL", &url).output().unwrap();
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
