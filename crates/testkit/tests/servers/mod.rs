//! What tests of servers have in common, whatever these are.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, stdin},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs an ignored test of this program, a role, in a process of its own, which looks for servers as
/// if nobody had said where they are.
pub(crate) fn role(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", name, "--nocapture"]);
    for (variable, _) in env::vars_os() {
        let said = variable.to_string_lossy();
        if said.starts_with("LEASEHOLD_") && !said.ends_with("_IMAGE") {
            command.env_remove(variable);
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Runs a role until it has said what it has, kills it, and waits until nothing is left of that.
pub(crate) fn is_killed_and_leaves_nothing(name: &str, servers: usize) {
    let mut test = role(name);
    // There is nothing else in a container, so that is passed on.
    for variable in [
        "LEASEHOLD_SERVERS",
        "LEASEHOLD_REDIS_SERVER",
        "LEASEHOLD_ETCD",
        "LEASEHOLD_KUBE_APISERVER",
    ] {
        test.envs(env::var_os(variable).map(|value| (variable, value)));
    }
    let mut test = test.spawn().unwrap();
    let lines = BufReader::new(test.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines
        .take_while(|line| line != "these are all")
        .filter_map(|line| line.split_once("server ").map(|(_, said)| said.to_owned()))
        .collect();
    test.kill().unwrap();
    test.wait().unwrap();
    assert_eq!(said.len(), servers, "{said:?}");
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

/// Says what it has, and waits to be killed.
pub(crate) fn has(servers: &[(SocketAddr, &Path)]) {
    for (address, directory) in servers {
        println!("server {address} {}", directory.display());
    }
    println!("these are all");
    let _ = stdin().read(&mut [0]);
}
