//! A run that is ended before its time keeps what it has measured.
use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use clap::Parser;
use leasehold_bench::{Options, Surroundings, command};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const DIRECTORY: &str = "LEASEHOLD_BENCH_TEST_DIRECTORY";
/// Two phases, for there are two timings; and the second one would take for ever.
const TIMINGS: [&str; 2] = ["200ms/100ms/20ms", "300ms/200ms/30ms"];

/// No test: what the others start, and end.
#[ignore = "the other tests run it, in a process of its own"]
#[tokio::test]
async fn the_run_that_is_ended() {
    let directory = env::var(DIRECTORY).unwrap();
    let url = format!("fake:good:{directory}/{{}}");
    let timings = TIMINGS.join(",");
    let rounds = env::var("ROUNDS").unwrap();
    let options = ["failover", "--no-floor", "--url", &url, "--faults", "step-down"];
    let more = ["--rounds", &rounds, "--timing", &timings];
    let options = Options::parse_from(options.iter().chain(&more));
    let around = Surroundings {
        contender: env!("CARGO_BIN_EXE_fake").into(),
        floor: env!("CARGO_BIN_EXE_floor").into(),
        target: directory.into(),
    };
    let code = command(options, around).await;
    // Nothing else can be learnt of an exit code.
    println!("\nsuccess: {}", format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS));
}

/// A run of so many rounds, and the lines that it writes to standard error.
fn run(directory: &Path, rounds: &str) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "interrupted::the_run_that_is_ended", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env("ROUNDS", rounds)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

fn results(directory: &Path) -> Value {
    let json = std::fs::read_to_string(directory.join("failover/failover.json")).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed()).unwrap()
}

#[test]
fn an_interrupt_in_the_middle_keeps_every_round_until_then() {
    let directory = TempDir::new().unwrap();
    let (child, mut lines) = run(directory.path(), "100000");
    assert!(lines.any(|line| line.starts_with("1 of 2: ")), "the first phase has begun");
    // No event to await: a run reports no round before it ends. Some have ended by then.
    std::thread::sleep(std::time::Duration::from_secs(2));
    kill_process(pid(&child), Signal::INT).unwrap();
    assert!(lines.any(|line| line.contains("what was measured is kept")));
    drop(lines);
    let said = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).contains("success: true"), "{said:?}");
    let results = results(directory.path());
    assert_eq!(results["interrupted"], true);
    assert!(results["rows"][0]["failover"]["n"].as_u64().unwrap() > 0, "{results}");
    let page = std::fs::read_to_string(directory.path().join("failover/index.html")).unwrap();
    assert!(page.contains("nterrupted"));
}

#[test]
fn a_run_that_is_killed_leaves_the_phases_that_had_ended() {
    let directory = TempDir::new().unwrap();
    let (mut child, mut lines) = run(directory.path(), "3");
    assert!(lines.any(|line| line.starts_with("2 of 2: ")), "the second phase has begun");
    kill_process(pid(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let results = results(directory.path());
    assert_eq!(results["interrupted"], true);
    let [row] = &results["rows"].as_array().unwrap()[..] else { panic!("{results}") };
    assert_eq!((&row["timing"], &row["failover"]["n"]), (&TIMINGS[0].into(), &3.into()));
}
