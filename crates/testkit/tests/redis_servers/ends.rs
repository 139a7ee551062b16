//! Nothing is left of it.

use std::{
    env,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, stdin},
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{own, role};

#[test]
fn nothing_is_left_of_a_test_that_was_killed() {
    let mut test = role("ends::has_servers_until_it_is_killed");
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
    let _ = stdin().read(&mut [0]);
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
